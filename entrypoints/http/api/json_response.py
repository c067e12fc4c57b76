"""JSON responses."""

import orjson
from aiohttp import web
from attrs import AttrsInstance, asdict

_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "livekit-mute",  # aiohttp's default tells its version
}


def json_response(body: AttrsInstance, *, status: int = 200) -> web.Response:
    """Make a response whose body is the JSON object of an attrs instance's fields, none nested."""
    return web.Response(
        body=orjson.dumps(asdict(body, recurse=False)), status=status, headers=_HEADERS
    )
