"""What an authentication service may do with a connection, by how the client has to treat it."""

import asyncio
from collections.abc import Mapping

from tests.adapters.identity.cases.authentication_service import GOOD
from tests.adapters.identity.cases.raw_responses import CHUNKED, OK, PLAIN, chunked
from tests.support.connection_handlers import (
    ConnectionHandler,
    floods,
    hangs,
    reset,
    sends,
)


async def close_at_once(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    pass


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_in_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(10)
    reset(writer)


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await sends(PLAIN + b"\r\n" + GOOD[:5])(reader, writer)
    writer.write_eof()
    await reader.read()


NO_RESPONSE: Mapping[str, ConnectionHandler] = {
    "closes at once": close_at_once,
    "closes after the request": sends(),
    "resets at once": reset_at_once,
    "resets during the request": reset_in_request,
    "resets after the request": sends(resets=True),
    "resets in its status": sends(OK[:12], resets=True),
    "resets in its headers": sends(PLAIN, resets=True),
    "breaks off in its status": sends(OK[:12]),
    "breaks off in its headers": sends(PLAIN),
    "sends 100 Continue and closes": sends(b"HTTP/1.1 100 Continue\r\n\r\n"),
}
BROKEN_OFF: Mapping[str, ConnectionHandler] = {
    "resets after its headers": sends(PLAIN + b"\r\n", resets=True),
    "resets in its body": sends(PLAIN + b"\r\n", GOOD[:5], resets=True),
    "resets in a chunk": sends(CHUNKED + b"12\r\n", GOOD[:5], resets=True),
    "resets without a length": sends(OK + b"\r\n", resets=True),
    "half-closes in its body": half_close,
    "never ends its headers": floods(OK, b"X: a\r\n" * 100),
    "never ends a header": floods(OK + b"X: ", b"a" * 1000),
    "never ends its chunks": floods(CHUNKED, b"1\r\n \r\n" * 100),
    "never ends its body": floods(OK + b"\r\n" + GOOD, b" " * 1000),
    "never ends its trailers": floods(chunked(GOOD, end=b"0\r\n"), b"X: a\r\n" * 100),
}
ENDLESS: Mapping[str, ConnectionHandler] = {
    "never answers": hangs(),
    "stops in its status": hangs(OK[:12]),
    "stops in its headers": hangs(PLAIN),
    "stops after its headers": hangs(PLAIN + b"\r\n"),
    "stops in its body": hangs(PLAIN + b"\r\n" + GOOD[:-1]),
    "stops in a chunk": hangs(CHUNKED + b"12\r\n" + GOOD[:-1]),
    "stops before the last chunk": hangs(chunked(GOOD, end=b"")),
    "keeps open a body without a length": hangs(OK + b"\r\n" + GOOD),
    "keeps open an empty body without a length": hangs(OK + b"\r\n"),
    "sends 100 Continue and hangs": hangs(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "sends 102 Processing for ever": floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pause_s=0.01),
    "sends its body slowly": floods(OK + b"Content-Length: 4000\r\n\r\n", b" ", pause_s=0.01),
    "sends its headers slowly": floods(OK, b"X", pause_s=0.01),
    "never ends a chunk's size": floods(CHUNKED, b"0" * 1000, pause_s=0.01),
}
ENDLESS_REFUSALS: Mapping[str, ConnectionHandler] = {
    "never ends its refusal": floods(b"HTTP/1.1 401 Unauthorized\r\n\r\n", b"s3cret" * 100),
    "stops in its refusal": hangs(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\ns3cret"),
}
