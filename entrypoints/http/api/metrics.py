"""``GET /metrics``, for Prometheus."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from entrypoints.http.api.context import CONTEXT
from entrypoints.http.api.json_response import COMMON_HEADERS

PATH = "/metrics"


def metrics_handler(expose: Callable[[], Awaitable[bytes]], *, media_type: str) -> Handler:
    """Make the handler.

    Args:
        expose: writes out all metrics, at a bounded cost: no load shedding keeps clients from it.
        media_type: of what it writes.
    """
    headers = {"Content-Type": media_type, **COMMON_HEADERS}

    async def metrics(request: web.Request) -> web.Response:
        request[CONTEXT].routine = True
        return web.Response(body=await expose(), headers=headers)

    return metrics
