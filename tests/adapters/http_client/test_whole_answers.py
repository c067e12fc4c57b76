"""An answer is delivered whole or not at all."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.http_client.errors import (
    ConnectionLostError,
    UnusableBodyError,
)
from adapters.http_client.messages import Answer, Head
from tests.adapters.http_client.raw_servers import (
    CHUNKED,
    NO_LENGTH,
    OK,
    ask,
    client_of,
    head,
    in_bytes,
    keeps,
    outcome,
    with_length,
)
from tests.support.connection_handlers import ConnectionHandler, read_request, sends

ENDS = ("closed", "reset")
SELF_DELIMITING: Mapping[str, tuple[bytes, bytes]] = {
    "length": (OK[:-2], b"ok"),
    "chunks": (CHUNKED, b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"),
    "extensions and trailers": (CHUNKED, b"2;a=b;c\r\nok\r\n0;d\r\nX: y\r\nZ:\r\n\r\n"),
    "after 1xx": (head("X: y\r\n", "103 Early Hints") + OK[:-2], b"ok"),
}
"""Heads and bodies that say where they end."""

CLOSE = "Connection: close\r\n"
WHOLE: Mapping[str, tuple[bytes, Answer, bool]] = {
    "length": (OK, Answer(Head(200, {"content-length": "2"}), b"ok"), True),
    "length of zero": (with_length(b""), Answer(Head(200, {"content-length": "0"}), b""), True),
    "length with zeros": (
        head(f"Content-Length: {'0' * 5000}2\r\n") + b"ok",
        Answer(Head(200, {"content-length": "0" * 5000 + "2"}), b"ok"),
        True,
    ),
    "chunks": (
        b"".join(SELF_DELIMITING["chunks"]),
        Answer(Head(200, {"transfer-encoding": "chunked"}), b"ok"),
        True,
    ),
    "no chunk": (
        CHUNKED + b"0\r\n\r\n",
        Answer(Head(200, {"transfer-encoding": "chunked"}), b""),
        True,
    ),
    "chunks in capitals, with spaces": (
        head("Transfer-Encoding: CHUNKED  \r\n") + b"2\r\nok\r\n0\r\n\r\n",
        Answer(Head(200, {"transfer-encoding": "CHUNKED"}), b"ok"),
        True,
    ),
    "extensions and trailers": (
        b"".join(SELF_DELIMITING["extensions and trailers"]),
        Answer(Head(200, {"transfer-encoding": "chunked"}), b"ok"),
        True,
    ),
    "no length": (NO_LENGTH + b"ok", Answer(Head(200, {}), b"ok"), False),
    "no length, with Connection: close": (
        head(CLOSE) + b"ok",
        Answer(Head(200, {"connection": "close"}), b"ok"),
        False,
    ),
    "204": (head(status="204 No Content"), Answer(Head(204, {}), b""), True),
    "304": (head(status="304 Not Modified"), Answer(Head(304, {}), b""), True),
    "304 with a length": (
        head("Content-Length: 2\r\n", "304 Not Modified"),
        Answer(Head(304, {"content-length": "2"}), b""),
        True,
    ),
    "Connection: close": (
        with_length(b"ok", CLOSE),
        Answer(Head(200, {"content-length": "2", "connection": "close"}), b"ok"),
        False,
    ),
    "HTTP/1.0": (
        OK.replace(b"1.1", b"1.0"),
        Answer(Head(200, {"content-length": "2"}), b"ok"),
        False,
    ),
    "HTTP/1.0, kept alive": (
        with_length(b"ok", "Connection: keep-alive\r\n").replace(b"1.1", b"1.0"),
        Answer(Head(200, {"content-length": "2", "connection": "keep-alive"}), b"ok"),
        True,
    ),
    "after 1xx": (
        head("X: y\r\n", "100 Continue") + head("X: y\r\n", "103 Early Hints") + OK,
        Answer(Head(200, {"content-length": "2"}), b"ok"),
        True,
    ),
    "redirect": (
        with_length(b"", "Location: /elsewhere\r\n", "302 Found"),
        Answer(Head(302, {"content-length": "0", "location": "/elsewhere"}), b""),
        True,
    ),
    "packed": (
        with_length(b"\x1f\x8b", "Content-Encoding: gzip\r\n"),
        Answer(Head(200, {"content-length": "2", "content-encoding": "gzip"}), b"\x1f\x8b"),
        True,
    ),
    "repeated headers": (
        with_length(b"", "X-A: 1\r\nX-B: \t2 \t\r\nx-a:\r\nX-A: \xfc\r\n"),
        Answer(Head(200, {"content-length": "0", "x-a": "1, , \xc3\xbc", "x-b": "2"}), b""),
        True,
    ),
    "no reason phrase": (
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        Answer(Head(200, {"content-length": "0"}), b""),
        True,
    ),
    "an unknown status": (
        with_length(b"", status="999 ?"),
        Answer(Head(999, {"content-length": "0"}), b""),
        True,
    ),
}
"""What is sent, what is delivered, and whether the connection is used again."""


class TestWholeAnswer:
    @pytest.mark.parametrize("name", WHOLE)
    @pytest.mark.parametrize("is_whole", [True, False], ids=["one packet", "byte by byte"])
    async def test_is_delivered(self, name: str, is_whole: bool) -> None:
        sent, expected, is_kept = WHOLE[name]
        async with client_of(keeps(sent) if is_kept else sends(sent)) as (client, server):
            if not is_whole:
                server.handle = sends(*in_bytes(sent))
            assert await outcome(client) == expected
            if is_whole:
                assert await outcome(client) == expected
                assert server.accepted == (1 if is_kept else 2)

    @pytest.mark.parametrize("name", SELF_DELIMITING)
    async def test_declares_its_length(self, name: str) -> None:
        async with client_of(sends(*SELF_DELIMITING[name])) as (client, _):
            assert (await ask(client)).head.declares_length


@pytest.mark.parametrize("end", ENDS)
class TestAnswerCutOff:
    @pytest.mark.parametrize("name", SELF_DELIMITING)
    async def test_is_an_error_at_every_byte(self, name: str, end: str) -> None:
        begin, body = SELF_DELIMITING[name]
        sent = begin + body
        async with client_of(sends(b"")) as (client, server):
            for size in range(len(sent)):
                server.handle = sends(sent[:size], resets=end == "reset")
                found = await outcome(client)
                expected = ConnectionLostError if size < len(begin) else UnusableBodyError
                assert type(found) is expected, sent[:size]
            server.handle = sends(sent, resets=end == "reset")
            assert (await ask(client)).body == b"ok"

    async def test_has_a_head_if_that_is_complete(self, end: str) -> None:
        async with client_of(sends(OK[:-1], resets=end == "reset")) as (client, _):
            found = await outcome(client)
        assert isinstance(found, UnusableBodyError)
        assert found.head == Head(200, {"content-length": "2"})
        assert found.reason == "answer incomplete"

    async def test_without_a_length_is_delivered_only_at_a_clean_end(self, end: str) -> None:
        sent = NO_LENGTH + b"ok"
        async with client_of(sends(b"")) as (client, server):
            for size in range(len(NO_LENGTH), len(sent) + 1):
                server.handle = sends(sent[:size], resets=end == "reset")
                found = await outcome(client)
                if end == "reset":
                    assert type(found) is UnusableBodyError
                else:
                    assert found == Answer(Head(200, {}), sent[len(NO_LENGTH) : size])
                    assert not found.head.declares_length

    async def test_after_a_kept_connection_was_used_is_lost_too(self, end: str) -> None:
        async with client_of(_answers_once(resets=end == "reset")) as (client, server):
            await ask(client)
            found = await outcome(client)
        assert type(found) is ConnectionLostError
        assert found.reason == "connection lost"
        assert server.accepted == 1


def _answers_once(*, resets: bool) -> ConnectionHandler:
    """Answer the first of two requests, and end the connection after the second."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await sends(resets=resets)(reader, writer)

    return handle
