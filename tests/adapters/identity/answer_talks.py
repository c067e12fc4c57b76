"""What an authentication service may do with a connection, by what it amounts to."""

import asyncio
from collections.abc import Mapping

from tests.adapters.identity.answer_bytes import CHUNKED, OK, PLAIN, chunked
from tests.adapters.identity.authentication_service import GOOD, Talk, hear, reset


def says(*parts: bytes, resets: bool = False) -> Talk:
    """Hear the question, send bytes, and close the connection gently or not."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if resets:
            reset(writer)

    return talk


def stays(*parts: bytes) -> Talk:
    """Hear the question, send bytes, and leave the connection open."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(*parts)(reader, writer)
        await reader.read()

    return talk


def floods(start: bytes, more: bytes, *, pause_s: float = 0.0) -> Talk:
    """Hear the question, and send without an end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(start)
        while not writer.is_closing():
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return talk


async def hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    pass


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_while_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(10)
    reset(writer)


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await says(PLAIN + b"\r\n" + GOOD[:5])(reader, writer)
    writer.write_eof()
    await reader.read()


SILENT: Mapping[str, Talk] = {
    "hangs up": hang_up,
    "hangs up when asked": says(),
    "resets": reset_at_once,
    "resets while asked": reset_while_asked,
    "resets when asked": says(resets=True),
    "resets in its status": says(OK[:12], resets=True),
    "resets in its headers": says(PLAIN, resets=True),
    "breaks off in its status": says(OK[:12]),
    "breaks off in its headers": says(PLAIN),
    "says 100 Continue and no more": says(b"HTTP/1.1 100 Continue\r\n\r\n"),
}
BROKEN: Mapping[str, Talk] = {
    "resets behind its headers": says(PLAIN + b"\r\n", resets=True),
    "resets in its body": says(PLAIN + b"\r\n", GOOD[:5], resets=True),
    "resets in a chunk": says(CHUNKED + b"12\r\n", GOOD[:5], resets=True),
    "resets without a length": says(OK + b"\r\n", resets=True),
    "half-closes in its body": half_close,
    "never ends its headers": floods(OK, b"X: a\r\n" * 100),
    "never ends a header": floods(OK + b"X: ", b"a" * 1000),
    "never ends its chunks": floods(CHUNKED, b"1\r\n \r\n" * 100),
    "never ends its body": floods(OK + b"\r\n" + GOOD, b" " * 1000),
    "never ends its trailers": floods(chunked(GOOD, end=b"0\r\n"), b"X: a\r\n" * 100),
}
ENDLESS: Mapping[str, Talk] = {
    "never answers": stays(),
    "stops in its status": stays(OK[:12]),
    "stops in its headers": stays(PLAIN),
    "stops behind its headers": stays(PLAIN + b"\r\n"),
    "stops in its body": stays(PLAIN + b"\r\n" + GOOD[:-1]),
    "stops in a chunk": stays(CHUNKED + b"12\r\n" + GOOD[:-1]),
    "stops before the last chunk": stays(chunked(GOOD, end=b"")),
    "leaves open what has no length": stays(OK + b"\r\n" + GOOD),
    "leaves open what has no length nor body": stays(OK + b"\r\n"),
    "says 100 Continue and hangs": stays(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "says 102 Processing for ever": floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pause_s=0.01),
    "drips": floods(OK + b"Content-Length: 4000\r\n\r\n", b" ", pause_s=0.01),
    "drips headers": floods(OK, b"X", pause_s=0.01),
    "never ends a chunk's size": floods(CHUNKED, b"0" * 1000, pause_s=0.01),
}
WITHOUT_WAITING: Mapping[str, Talk] = {
    "never ends its refusal": floods(b"HTTP/1.1 401 Unauthorized\r\n\r\n", b"s3cret" * 100),
    "stops in its refusal": stays(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\ns3cret"),
}
