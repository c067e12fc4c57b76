"""Servers on loopback that send given bytes, and requests to them, which all end with ``?``."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from attrs import define, field

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import HttpClientError
from adapters.http_client.messages import Accept, Answer
from tests.support.connection_handlers import ConnectionHandler, read_request
from tests.support.timeouts import HOUR_S

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n"


def head(more: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}\r\n".encode()


def with_length(body: bytes, more: str = "", status: str = "200 OK") -> bytes:
    return head(f"Content-Length: {len(body)}\r\n{more}", status) + body


@define(eq=False)
class Server:
    handle: ConnectionHandler
    """May be exchanged; those who are connected keep theirs."""
    port: int = 0
    accepted: int = 0
    talks: set[asyncio.Task[None] | None] = field(factory=set)
    """Handlers that run, one for each open connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.talks.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.handle(reader, writer)
        finally:
            self.talks.discard(asyncio.current_task())
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def until_open(self, number: int) -> None:
        """Wait until so many connections are open, and the client has read that others ended."""
        await until(lambda: len(self.talks) == number)
        for _ in range(5):
            await asyncio.sleep(0)


@asynccontextmanager
async def serve(
    handle: ConnectionHandler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    running = Server(handle)
    server = await asyncio.start_server(running.talk, host, port, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        talks = list(filter(None, running.talks))
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)


@asynccontextmanager
async def client_of(
    handle: ConnectionHandler, *, max_connections: int = 10
) -> AsyncIterator[tuple[HttpClient, Server]]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(handle))
        client = await stack.enter_async_context(HttpClient(server.url, max_connections))
        yield client, server


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():  # noqa: ASYNC110 - it comes over a socket
        await asyncio.sleep(0.001)


def up_to(limit: int) -> Accept:
    return lambda _: limit


USUAL = up_to(1 << 20)


async def ask(
    client: HttpClient,
    target: str = "/",
    *,
    accept: Accept = USUAL,
    deadline: float | None = None,
) -> Answer:
    return await client.send(
        "POST",
        target,
        headers={},
        body=b"?",
        accept=accept,
        deadline=within(HOUR_S) if deadline is None else deadline,
    )


async def outcome(client: HttpClient, **how: str | float | Accept) -> Answer | HttpClientError:
    try:
        return await ask(client, **how)  # type: ignore[arg-type]
    except HttpClientError as error:
        return error


def keeps(*answers: bytes) -> ConnectionHandler:
    """Answer the requests of a connection with one after the other, the last for ever."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = list(answers)
        while True:
            await read_request(reader)
            writer.write(left.pop(0) if len(left) > 1 else left[0])

    return handle


def in_bytes(answer: bytes) -> list[bytes]:
    return [answer[i : i + 1] for i in range(len(answer))]
