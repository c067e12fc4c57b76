"""What aiohttp does where nobody says otherwise, seen in a bare server, and not seen in ours."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import pytest
from aiohttp import web
from attrs import frozen
from yarl import URL

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from entrypoints.http.limits import Limits
from tests.support.service import MUTE, running_service

SECRET = "s3cret"
PATIENCE_S = 1.0


@frozen
class Server:
    """A server as a client sees it, and as whoever reads its log does."""

    url: URL
    log: Callable[[], str]
    stop: Callable[[], Awaitable[None]]

    async def say(self, request: bytes) -> bytes:
        """Send bytes, and give what comes back until the connection ends or nothing more comes."""
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port)
        writer.write(request)
        received = await listen(reader)
        writer.close()
        return received


async def listen(reader: asyncio.StreamReader) -> bytes:
    received = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while more := await reader.read(1 << 16):
                received += more
    except (TimeoutError, ConnectionError):
        pass
    return received


@asynccontextmanager
async def bare(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Server]:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=f"{len(await request.read())} bytes")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, keepalive_timeout=0.2, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1])
    try:
        yield Server(url, lambda: caplog.text, runner.cleanup)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def ours(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Server]:
    running = running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=Limits(leave_delay_s=PATIENCE_S, body_timeout_s=0.2),
    )
    service = await running.__aenter__()
    stopping: list[asyncio.Task[object]] = []

    async def stop() -> None:
        """Begin to stop, for which a client does not wait."""
        stopping.append(asyncio.create_task(running.__aexit__(None, None, None)))
        await asyncio.sleep(0.05)

    yield Server(service.url, lambda: f"{caplog.text} {service.events}", stop)
    await (asyncio.gather(*stopping) if stopping else running.__aexit__(None, None, None))


async def logs_query_strings(server: Server) -> bool:
    await server.say(f"GET /?api_key={SECRET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return SECRET in server.log()


async def repeats_what_it_cannot_parse(server: Server) -> bool:
    received = await server.say(f"GET / HTTP/1.1\r\nHost: x\r\n{SECRET} : \0\r\n\r\n".encode())
    return SECRET in received.decode() + server.log()


async def waits_for_slow_bodies_for_ever(server: Server) -> bool:
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return not await server.say(f"{head}Content-Length: 9\r\n\r\n{{".encode())


async def inflates_bodies(server: Server) -> bool:
    body = gzip.compress(bytes(1 << 15))
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    coding = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    received = await server.say((head + coding).encode() + body)
    return received.startswith(b"HTTP/1.1 200 ")


async def speaks_other_versions(server: Server) -> bool:
    received = await server.say(b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n")
    return b" 200 OK" in received


async def loses_the_next_request_when_told_to_stop(server: Server) -> bool:
    reader, writer = await asyncio.open_connection(server.url.host, server.url.port)
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(request)
    await reader.read(1 << 16)
    await server.stop()
    writer.write(request)
    received = await listen(reader)
    writer.close()
    return b" 200 OK" not in received


@pytest.mark.parametrize(
    "fault",
    [
        logs_query_strings,
        repeats_what_it_cannot_parse,
        waits_for_slow_bodies_for_ever,
        inflates_bodies,
        speaks_other_versions,
        loses_the_next_request_when_told_to_stop,
    ],
)
@pytest.mark.parametrize(
    ("serve", "expected"), [pytest.param(bare, True, marks=pytest.mark.leaks), (ours, False)]
)
async def test_faults_of_a_bare_server_are_none_of_ours(
    caplog: pytest.LogCaptureFixture,
    fault: Callable[[Server], Awaitable[bool]],
    serve: Callable[[pytest.LogCaptureFixture], AbstractAsyncContextManager[Server]],
    expected: bool,
) -> None:
    caplog.set_level("DEBUG")
    async with serve(caplog) as server:
        assert await fault(server) is expected
