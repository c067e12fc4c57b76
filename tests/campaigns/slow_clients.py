"""Clients that are slow in eight ways, and what becomes of them."""

import asyncio
import math
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import cycle
from multiprocessing import get_context

from attrs import field, frozen
from yarl import URL

from tests.service import MUTE, parse_answers

_HEAD = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
REFUSED = (408,)
_ALIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@frozen
class Slowness:
    """What a client says at once, what it says byte by byte, and whether it listens."""

    at_once: bytes = b""
    drips: bytes = b""
    listens: bool = field(default=True, kw_only=True)
    told: tuple[int, ...] = field(default=(), kw_only=True)
    within: str = field(kw_only=True)
    """Which limit ends it."""

    async def suffer(self, url: URL, pause_s: float) -> tuple[float, tuple[int, ...]]:
        """Be slow until the connection is closed; tell what was heard, and after how long.

        That is the time of the refusal where there is one, and otherwise of the end.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        reader, writer = await asyncio.open_connection(sock=_narrow(url), limit=1024)
        dripping = asyncio.create_task(self._drip(writer, pause_s))
        try:
            if self.listens:
                received, heard = await _listen(reader)
            else:
                received, heard = b"", math.inf
                await dripping
        finally:
            dripping.cancel()
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        told = tuple(answer.status for answer in parse_answers(received))
        return (heard if told == REFUSED else clock()) - started, told

    async def _drip(self, writer: asyncio.StreamWriter, pause_s: float) -> None:
        with suppress(ConnectionError):
            writer.write(self.at_once)
            for byte in cycle(self.drips):
                await writer.drain()
                await asyncio.sleep(pause_s)
                writer.write(bytes([byte]))


KINDS: Mapping[str, Slowness] = {
    "say nothing": Slowness(within="idle"),
    "send a byte of a header at a time": Slowness(_HEAD + b"X: ", b"x", within="headers"),
    "stop in the headers": Slowness(_HEAD, within="headers"),
    "send a byte of a body at a time": Slowness(
        _HEAD + b"Content-Length: 9999\r\n\r\n", b" ", told=REFUSED, within="body"
    ),
    "stop in the body": Slowness(
        _HEAD + b"Content-Length: 9999\r\n\r\n{", told=REFUSED, within="body"
    ),
    "send a byte of a chunk at a time": Slowness(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", told=REFUSED, within="body"
    ),
    "keep quiet after an answer": Slowness(_ALIVE, told=(200,), within="idle"),
    "never read": Slowness(_ALIVE * 500, b"GET", listens=False, within="body"),
}


def _narrow(url: URL) -> socket.socket:
    """Connect with little room for what is not read."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((url.host, url.port))
    return narrow


async def _listen(reader: asyncio.StreamReader) -> tuple[bytes, float]:
    """Hear everything, and tell when the first of it came."""
    received, first = bytearray(), math.inf
    with suppress(ConnectionError):
        while heard := await reader.read(65536):
            first = min(first, asyncio.get_running_loop().time())
            received += heard
    return bytes(received), first


async def _besiege(url: URL, each: int, pause_s: float) -> None:
    await asyncio.gather(
        *(kind.suffer(url, pause_s) for kind in KINDS.values() for _ in range(each)),
        return_exceptions=True,
    )


def besiege(url: str, each: int, pause_s: float) -> None:
    """Have so many clients of each kind, in a process of their own, until they are all cut off."""
    asyncio.run(_besiege(URL(url), each, pause_s))


@contextmanager
def besieged(url: URL, *, each: int, pause_s: float) -> Iterator[None]:
    """Have them while the block runs, if they last so long, and cost its clients nothing."""
    besieger = get_context("spawn").Process(target=besiege, args=(str(url), each, pause_s))
    besieger.start()
    try:
        yield
    finally:
        besieger.kill()
        besieger.join()
