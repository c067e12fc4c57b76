"""``Expect: 100-continue``: a client that waits for ``100 Continue`` before it sends its body."""

from aiohttp import HttpVersion11, web

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def defer_continue(_: web.Request) -> None:
    """Handle ``Expect`` by doing nothing: ``100 Continue`` is sent when the body is awaited."""


async def send_continue(request: web.Request) -> None:
    """Send ``100 Continue`` to a client that asked for it."""
    if request.version >= HttpVersion11 and "Expect" in request.headers:
        await request.writer.write(_CONTINUE)
