"""JSON responses."""

from collections.abc import Mapping

import orjson
from aiohttp import web

COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "livekit-mute",  # aiohttp's default tells its version
}
"""Of every response, whatever its body."""

_HEADERS = {"Content-Type": "application/json; charset=utf-8", **COMMON_HEADERS}


def json_response(body: Mapping[str, object], *, status: int = 200) -> web.Response:
    """Make a response whose body is a JSON object."""
    return web.Response(body=orjson.dumps(body), status=status, headers=_HEADERS)
