import socket

from aiohttp import web

from entrypoints.http.app import create_metrics_app
from entrypoints.http.server.listener import serving


class TestClientsThatConnectAtTheEnd:
    async def test_get_their_metrics(self) -> None:
        async def metrics(_: web.Request) -> web.Response:
            return web.Response(text="numbers")

        app = create_metrics_app(metrics)
        async with serving(app, host="127.0.0.1", port=0) as url:
            client = socket.create_connection(("127.0.0.1", url.port))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")  # nothing has run since
        with client:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
