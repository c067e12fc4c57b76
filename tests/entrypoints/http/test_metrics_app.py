"""The application on the port of metrics: its clients are held to limits, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp.web import Application
from yarl import URL

from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.app import create_metrics_app
from entrypoints.http.server.keys import LIMITS, TRAFFIC
from entrypoints.http.server.listener import serving
from tests.robustness.clients import Client

METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
MALFORMED = (
    b"GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n",
    b"GET http://[x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n",
)


async def metrics_text() -> bytes:
    return b"x 1\n"


@pytest.fixture
def app() -> Application:
    return create_metrics_app(metrics_handler(metrics_text, media_type="text/plain"))


@pytest.fixture
async def url(app: Application) -> AsyncIterator[URL]:
    async with serving(app, host="127.0.0.1", port=0) as url:
        yield url


async def ask(url: URL, request: bytes) -> tuple[int, str, bytes]:
    async with Client.connected(str(url)) as client:
        answer = await client.request(request)
    return answer.status, answer.headers["Server"], answer.body


class TestMetricsApp:
    async def test_serves_metrics(self, url: URL) -> None:
        assert await ask(url, METRICS) == (200, "livekit-mute", b"x 1\n")

    async def test_neither_quotes_nor_logs_malformed_http(
        self, url: URL, caplog: pytest.LogCaptureFixture
    ) -> None:
        for request in MALFORMED:
            status, server, body = await ask(url, request)
            assert (status, server) == (400, "livekit-mute")
            assert b'"INVALID_REQUEST"' in body
        assert not caplog.records

    async def test_rejects_and_then_closes_connections_beyond_its_limit(
        self, app: Application, url: URL
    ) -> None:
        most, traffic = app[LIMITS].max_connections, app[TRAFFIC]
        async with AsyncExitStack() as stack:
            for _ in range(most + 300):
                await stack.enter_async_context(Client.connected(str(url)))
            while not traffic.refused_connections:  # noqa: ASYNC110 - the server's
                await asyncio.sleep(0.005)
            assert traffic.connections < most + 300
