"""Cross-origin requests: programs in browsers, on pages of other origins (CORS).

Without allowed origins nothing of this module runs.
"""

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from entrypoints.http.api.json_response import COMMON_HEADERS
from entrypoints.http.server.errors import RequestError

_PREFLIGHT = {
    **COMMON_HEADERS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID, traceparent,"
    " tracestate",
    "Access-Control-Max-Age": "600",  # seconds; Chromium keeps it for 7200 at most
}
_EXPOSED = "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy"
_MAX_LOGGED = 256


def answer_preflights(origins: Collection[str]) -> Middleware:
    """Make the middleware that answers preflights of these origins with 204, on every path.

    They are answered before load shedding, because a browser tells its program nothing of a
    preflight that failed. Any other ``OPTIONS`` stays what it is: 405; of a preflight the log
    tells the origin.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        rejection = request.match_info.http_exception
        if (
            request.method != "OPTIONS"
            or "Access-Control-Request-Method" not in request.headers
            or not isinstance(rejection, web.HTTPMethodNotAllowed)
        ):
            return await handler(request)
        origin = request.headers.get("Origin", "")
        if origin not in origins:
            rejection.__cause__ = RequestError(  # for the log; what is raised stays aiohttp's
                f"the origin {origin[:_MAX_LOGGED]!a} is not in CORS_ALLOWED_ORIGINS"
            )
            return await handler(request)
        methods = ", ".join(sorted(rejection.allowed_methods))
        headers = {**_PREFLIGHT, "Access-Control-Allow-Methods": methods}
        return web.Response(status=204, headers=headers)

    return middleware


def share_responses(
    origins: Collection[str],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Make what lets pages of these origins read a response, whatever has made it.

    It has to be called before the headers are sent. Only a request that cannot be parsed is beyond
    it: of that the origin is not known.
    """

    async def share(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED

    return share
