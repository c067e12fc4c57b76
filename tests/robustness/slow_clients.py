"""Clients that are slow in eight ways, each of which one timeout ends."""

import asyncio
import math
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import cycle
from multiprocessing import get_context

from attrs import field, frozen
from yarl import URL

from tests.support.service import MUTE, parse_answers

_HEAD = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
REQUEST_TIMEOUT = (408,)
_LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@frozen
class SlowClient:
    """What a client sends at once and what byte by byte, and whether it reads responses."""

    at_once: bytes = b""
    dripped: bytes = b""
    reads: bool = field(default=True, kw_only=True)
    statuses: tuple[int, ...] = field(default=(), kw_only=True)
    """Of the responses that it must receive."""
    timeout: str = field(kw_only=True)
    """The name of the timeout that must end it."""

    async def run(self, url: URL, pause_s: float) -> tuple[float, tuple[int, ...]]:
        """Run until the connection is closed; return the seconds until then, and the statuses.

        With a response of 408, return the seconds until that response.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        reader, writer = await asyncio.open_connection(sock=_small_buffer(url), limit=1024)
        dripping = asyncio.create_task(self._drip(writer, pause_s))
        try:
            if self.reads:
                received, first = await _read_all(reader)
            else:
                received, first = b"", math.inf
                await dripping
        finally:
            dripping.cancel()
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        statuses = tuple(answer.status for answer in parse_answers(received))
        return (first if statuses == REQUEST_TIMEOUT else clock()) - started, statuses

    async def _drip(self, writer: asyncio.StreamWriter, pause_s: float) -> None:
        with suppress(ConnectionError):
            writer.write(self.at_once)
            for byte in cycle(self.dripped):
                await writer.drain()
                await asyncio.sleep(pause_s)
                writer.write(bytes([byte]))


SLOW_CLIENTS: Mapping[str, SlowClient] = {
    "send nothing": SlowClient(timeout="headers"),
    "send a header byte by byte": SlowClient(_HEAD + b"X: ", b"x", timeout="headers"),
    "stop in the headers": SlowClient(_HEAD, timeout="headers"),
    "send a body byte by byte": SlowClient(
        _HEAD + b"Content-Length: 9999\r\n\r\n", b" ", statuses=REQUEST_TIMEOUT, timeout="body"
    ),
    "stop in the body": SlowClient(
        _HEAD + b"Content-Length: 9999\r\n\r\n{", statuses=REQUEST_TIMEOUT, timeout="body"
    ),
    "send a chunk byte by byte": SlowClient(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"1\r\n \r\n",
        statuses=REQUEST_TIMEOUT,
        timeout="body",
    ),
    "never read": SlowClient(_LIVEZ * 500, b"GET", reads=False, timeout="body"),
    "keep an idle connection": SlowClient(_LIVEZ, statuses=(200,), timeout="idle"),
}


def _small_buffer(url: URL) -> socket.socket:
    """Connect with a small receive buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.host, url.port))
    return connection


async def _read_all(reader: asyncio.StreamReader) -> tuple[bytes, float]:
    """Read to the end; return what was received, and when the first of it was."""
    received, first = bytearray(), math.inf
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            first = min(first, asyncio.get_running_loop().time())
            received += part
    return bytes(received), first


async def _run_all(url: URL, each: int, pause_s: float) -> None:
    await asyncio.gather(
        *(client.run(url, pause_s) for client in SLOW_CLIENTS.values() for _ in range(each)),
        return_exceptions=True,
    )


def run_slow_clients(url: str, each: int, pause_s: float) -> None:
    """Run so many clients of each kind until all their connections are closed."""
    asyncio.run(_run_all(URL(url), each, pause_s))


@contextmanager
def slow_clients_running(url: URL, *, each: int, pause_s: float) -> Iterator[None]:
    """Run slow clients in a process of their own during the block."""
    process = get_context("spawn").Process(target=run_slow_clients, args=(str(url), each, pause_s))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()
