"""How much of an answer is read: exactly as much as is allowed, whatever the packets."""

import resource
from collections.abc import Callable, Mapping

import pytest

from adapters.http_client.errors import BodyTooLargeError, InvalidAnswerError
from adapters.http_client.messages import Answer
from tests.adapters.http_client.raw_servers import (
    CHUNKED,
    NO_LENGTH,
    client_of,
    head,
    keeps,
    outcome,
    up_to,
    with_length,
)
from tests.support.connection_handlers import floods, hangs, sends

MAX_HEAD = 16 << 10
MAX_HEADERS = 128


def in_chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    return CHUNKED + chunks + b"0\r\n\r\n"


BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "declared": with_length,
    "in one chunk": lambda body: in_chunks(body, len(body)),
    "in chunks of a byte": lambda body: in_chunks(body, 1),
    "in chunks with extensions": lambda body: in_chunks(body, 50, b";a=" + b"b" * 100),
    "without a length": lambda body: NO_LENGTH + body,
}


def filled(size: int, frame: bytes) -> bytes:
    """A head of so many bytes, padded at ``%``."""
    return frame.replace(b"%", b"a" * (size - len(frame) + 1))


HEADS: Mapping[str, Callable[[int], bytes]] = {
    "a header": lambda size: filled(size, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %\r\n\r\n"),
    "a name": lambda size: filled(size, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%: y\r\n\r\n"),
    "a reason phrase": lambda size: filled(size, b"HTTP/1.1 200 %\r\nContent-Length: 0\r\n\r\n"),
    "several headers": lambda size: filled(
        size, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"X: y\r\n" * 100 + b"X: %\r\n\r\n"
    ),
    "a head before the answer": lambda size: filled(
        size, b"HTTP/1.1 103 Early\r\nX: %\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    ),
}


def packets(sent: bytes, size: int) -> list[bytes]:
    return [sent[i : i + size] for i in range(0, len(sent), size)]


@pytest.mark.parametrize("packet", [1 << 20, 1000, 37])
class TestBody:
    @pytest.mark.parametrize("name", BODIES)
    @pytest.mark.parametrize("limit", [1, 100, 5000])
    async def test_may_be_as_large_as_allowed(self, name: str, limit: int, packet: int) -> None:
        sent = BODIES[name](b"a" * limit)
        async with client_of(sends(*packets(sent, packet))) as (client, _):
            found = await outcome(client, accept=up_to(limit))
        assert isinstance(found, Answer)
        assert found.body == b"a" * limit

    @pytest.mark.parametrize("name", BODIES)
    @pytest.mark.parametrize("limit", [0, 1, 100, 5000])
    async def test_may_not_be_larger(self, name: str, limit: int, packet: int) -> None:
        sent = BODIES[name](b"a" * (limit + 1))
        async with client_of(hangs(*packets(sent, packet))) as (client, server):
            found = await outcome(client, accept=up_to(limit))
            assert type(found) is BodyTooLargeError
            assert found.head.status == 200
            assert found.reason == "answer too large"
            assert set(found.beginning) == set(b"a")
            assert min(limit, 4096) < len(found.beginning) + 1 <= 4097
            await server.until_open(0)

    async def test_may_be_empty_where_nothing_is_allowed(self, packet: int) -> None:
        async with client_of(sends(*packets(with_length(b""), packet))) as (client, _):
            assert isinstance(await outcome(client, accept=up_to(0)), Answer)


async def test_too_large_a_body_is_read_for_its_beginning_only() -> None:
    beginning = b"a" * 4096
    async with client_of(hangs(head("Content-Length: 1000001\r\n") + beginning + b"b")) as (
        client,
        _,
    ):
        found = await outcome(client, accept=up_to(1_000_000))
    assert isinstance(found, BodyTooLargeError)
    assert found.beginning == beginning


ENDLESS: Mapping[str, tuple[bytes, bytes]] = {
    "declared": (head(f"Content-Length: {10**15}\r\n"), b"a" * 1000),
    "declared as 2**64 - 1": (head(f"Content-Length: {2**64 - 1}\r\n"), b"a" * 1000),
    "without a length": (NO_LENGTH, b"a" * 1000),
    "chunks of a byte": (CHUNKED, b"1\r\na\r\n" * 100),
    "a chunk": (CHUNKED + b"f" * 15 + b"\r\n", b"a" * 1000),
    "a chunk's size": (CHUNKED, b"0" * 1000),
    "a chunk's extension": (CHUNKED + b"1;", b"a" * 1000),
    "a chunk's extensions": (CHUNKED + b"1", b";a=b" * 100),
    "a trailer's name": (CHUNKED + b"1\r\na\r\n0\r\n", b"a" * 1000),
    "a trailer's value": (CHUNKED + b"1\r\na\r\n0\r\nX: ", b"a" * 1000),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"X: y\r\n" * 100),
}
ENDLESS_HEADS: Mapping[str, tuple[bytes, bytes]] = {
    "a status line": (b"HTTP/1.1 200 ", b"a" * 1000),
    "a name": (b"HTTP/1.1 200 OK\r\n", b"a" * 1000),
    "a value": (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 1000),
    "spaces before a value": (b"HTTP/1.1 200 OK\r\nX:", b" " * 1000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
    "heads before the answer": (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 10),
    "line ends": (b"", b"\r\n" * 500),
}


class TestWhatNeverEnds:
    """Without the limit these tests would not end."""

    @pytest.mark.parametrize("name", ENDLESS)
    async def test_is_too_large_a_body(self, name: str) -> None:
        async with client_of(floods(*ENDLESS[name])) as (client, server):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found = await outcome(client, accept=up_to(1 << 20))
            assert type(found) is BodyTooLargeError
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10  # KiB
            await server.until_open(0)

    @pytest.mark.parametrize("name", ENDLESS_HEADS)
    async def test_is_too_large_a_head(self, name: str) -> None:
        async with client_of(floods(*ENDLESS_HEADS[name])) as (client, server):
            found = await outcome(client)
            assert type(found) is InvalidAnswerError
            assert found.reason == "the head of the answer is too large"
            await server.until_open(0)


@pytest.mark.parametrize("packet", [1 << 20, 1000, 37])
@pytest.mark.parametrize("name", HEADS)
class TestHead:
    async def test_may_have_16_kib(self, name: str, packet: int) -> None:
        sent = HEADS[name](MAX_HEAD)
        assert len(sent) == MAX_HEAD
        async with client_of(sends(*packets(sent, packet))) as (client, _):
            assert isinstance(await outcome(client), Answer)

    async def test_may_not_have_a_byte_more(self, name: str, packet: int) -> None:
        sent = HEADS[name](MAX_HEAD + 1)
        async with client_of(hangs(*packets(sent, packet))) as (client, _):
            assert type(await outcome(client)) is InvalidAnswerError


class TestHeaders:
    @pytest.mark.parametrize("name", ["X", ""])
    async def test_are_at_most_128(self, name: str) -> None:
        lines = "".join(f"{name or f'X{i}'}: y\r\n" for i in range(MAX_HEADERS - 1))
        answers = keeps(with_length(b"", lines), with_length(b"", "X: y\r\n" + lines))
        async with client_of(answers) as (client, _):
            assert isinstance(await outcome(client), Answer)
            assert type(await outcome(client)) is InvalidAnswerError

    async def test_are_counted_anew_for_each_answer(self) -> None:
        lines = "X: y\r\n" * (MAX_HEADERS - 1)
        async with client_of(keeps(with_length(b"", lines))) as (client, _):
            for _ in range(3):
                assert isinstance(await outcome(client), Answer)

    async def test_that_arrive_with_a_large_body_do_not_count_it(self) -> None:
        async with client_of(sends(with_length(b"a" * 100_000))) as (client, _):
            assert isinstance(await outcome(client), Answer)
