"""JSON responses."""

import orjson
from aiohttp import web
from attrs import AttrsInstance, asdict

_JSON = "application/json; charset=utf-8"


def json_response(body: AttrsInstance, *, status: int = 200) -> web.Response:
    """Make a response whose body is the JSON object of an attrs instance's fields."""
    return web.Response(
        body=orjson.dumps(asdict(body)), status=status, headers={"Content-Type": _JSON}
    )
