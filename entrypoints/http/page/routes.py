"""The routes of the page: a fixed set of files."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import mkdocs_swagger_ui_tag
from aiohttp import web
from aiohttp.typedefs import Handler

from entrypoints.http.api.context import CONTEXT
from entrypoints.http.api.json_response import COMMON_HEADERS
from entrypoints.http.server.expect import defer_continue

_HEADERS = {
    **COMMON_HEADERS,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def page_routes(document: Path) -> Sequence[web.RouteDef]:
    """Make the routes of the page and of the API document that it shows.

    Args:
        document: the folder with ``openapi.yaml`` and ``openapi.json``.
    """
    ours = Path(__file__).parent
    swagger_ui = Path(str(files(mkdocs_swagger_ui_tag))) / "swagger-ui"
    served = {
        "/docs": (ours / "page.html", "text/html; charset=utf-8"),
        "/docs/page.css": (ours / "page.css", "text/css; charset=utf-8"),
        "/docs/page.js": (ours / "page.js", "text/javascript; charset=utf-8"),
        "/docs/swagger-ui.css": (
            swagger_ui / "stylesheets" / "swagger-ui.css",
            "text/css; charset=utf-8",
        ),
        "/docs/swagger-ui-bundle.js": (
            swagger_ui / "javascripts" / "swagger-ui-bundle.js",
            "text/javascript; charset=utf-8",
        ),
        "/openapi.json": (document / "openapi.json", "application/json"),
        "/openapi.yaml": (document / "openapi.yaml", "application/yaml"),
    }
    files_of_page = {path: _file(file, media_type) for path, (file, media_type) in served.items()}
    return [
        web.get(path, handler, expect_handler=defer_continue)
        for path, handler in {**files_of_page, "/docs/": _to_page}.items()
    ]


async def _to_page(request: web.Request) -> web.StreamResponse:
    """Redirect to the page; relative, since a proxy may serve it below another path."""
    request[CONTEXT].routine = True
    return web.Response(status=308, headers={**_HEADERS, "Location": "../docs"})


def _file(path: Path, media_type: str) -> Handler:
    headers = {**_HEADERS, "Content-Type": media_type}

    async def respond(request: web.Request) -> web.StreamResponse:
        request[CONTEXT].routine = True
        return web.FileResponse(path, headers=headers)

    return respond
