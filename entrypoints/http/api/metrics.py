"""``GET /metrics``, for Prometheus."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from entrypoints.http.api.context import CONTEXT

PATH = "/metrics"


def metrics_handler(expose: Callable[[], bytes], *, media_type: str) -> Handler:
    """Make the handler.

    Args:
        expose: writes out all metrics; it must be quick, since nothing else runs meanwhile.
        media_type: of what it writes.
    """
    headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Server": "livekit-mute"}

    async def metrics(request: web.Request) -> web.Response:
        request[CONTEXT].routine = True
        return web.Response(body=expose(), headers=headers)

    return metrics
