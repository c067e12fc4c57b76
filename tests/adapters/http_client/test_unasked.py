"""What a server sends unasked is never taken for an answer."""

import asyncio
import select
import socket
from contextlib import ExitStack

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import BodyTooLargeError, InvalidAnswerError
from tests.adapters.http_client.raw_servers import (
    CHUNKED,
    OK,
    ask,
    client_of,
    keeps,
    outcome,
    up_to,
    with_length,
)
from tests.support.connection_handlers import ConnectionHandler, hangs, read_request
from tests.support.sockets import IDLE_TIMEOUT

WRONG = with_length(b"wrong")
UNASKED = {
    "an answer": WRONG,
    "a time-out": IDLE_TIMEOUT,
    "the beginning of an answer": WRONG[:1],
    "an empty line and an answer": b"\r\n" + WRONG,
    "an answer without an end": b"HTTP/1.1 200\r\n\r\n",
    "two answers": WRONG + WRONG,
    "a large answer": with_length(b"a" * 100_000),
    "an answer in chunks": CHUNKED + b"2\r\nno\r\n0\r\nX: y\r\n\r\n",
    "a head before an answer": b"HTTP/1.1 100 Continue\r\n\r\n",
}
"""Behind an answer, they leave it whole; garbage there means that its length is wrong."""


def answers_and_adds(unasked: bytes, when: asyncio.Event | None = None) -> ConnectionHandler:
    """Answer each request, and send more behind the answer: at once or later."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            if when is None:
                writer.write(OK + unasked)
            else:
                writer.write(OK)
                await when.wait()
                writer.write(unasked)

    return handle


@pytest.mark.parametrize("name", UNASKED)
class TestUnasked:
    async def test_behind_an_answer_ends_the_connection(self, name: str) -> None:
        async with client_of(answers_and_adds(UNASKED[name])) as (client, server):
            for _ in range(3):
                assert (await ask(client)).body == b"ok"
                await server.until_open(0)
            assert server.accepted == 3

    async def test_behind_an_answer_is_not_one_for_who_waits(self, name: str) -> None:
        async with client_of(answers_and_adds(UNASKED[name]), max_connections=1) as (
            client,
            server,
        ):
            answers = await asyncio.gather(*(ask(client) for _ in range(3)))
            assert [answer.body for answer in answers] == 3 * [b"ok"]
            assert server.accepted == 3

    async def test_behind_chunks_ends_the_connection(self, name: str) -> None:
        sent = CHUNKED + b"2\r\nok\r\n0\r\nX: y\r\n\r\n" + UNASKED[name]
        async with client_of(keeps(sent)) as (client, server):
            for _ in range(2):
                assert (await ask(client)).body == b"ok"
                await server.until_open(0)

    async def test_on_an_idle_connection_ends_it(self, name: str) -> None:
        later = asyncio.Event()
        async with client_of(answers_and_adds(UNASKED[name], later)) as (client, server):
            assert (await ask(client)).body == b"ok"
            later.set()
            await server.until_open(0)
            assert (await ask(client)).body == b"ok"
            assert server.accepted == 2

    async def test_on_a_new_connection_ends_it(self, name: str) -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with HttpClient(url, max_connections=1) as client:
                exchange = client.begin("GET", "/", headers={}, body=b"", accept=up_to(100))
                while exchange.outcome is None:
                    if select.select([listener], [], [], 0)[0]:  # the client does not know it yet
                        connection = stack.enter_context(listener.accept()[0])
                        connection.sendall(UNASKED[name])
                    await asyncio.sleep(0)
        assert isinstance(exchange.outcome, InvalidAnswerError)
        assert exchange.outcome.reason == "sent data before a request"


@pytest.mark.parametrize("garbage", [b"\0", b'"}', b"0\r\n\r\n", b"HTTQ"])
class TestGarbage:
    @pytest.mark.parametrize("more", ["", "Connection: close\r\n"], ids=["kept", "closed"])
    async def test_behind_an_answer_makes_it_invalid(self, garbage: bytes, more: str) -> None:
        async with client_of(hangs(with_length(b"ok", more) + garbage)) as (client, server):
            assert type(await outcome(client)) is InvalidAnswerError
            await server.until_open(0)

    async def test_behind_chunks_makes_them_invalid(self, garbage: bytes) -> None:
        sent = CHUNKED + b"2\r\nok\r\n0\r\n\r\n"
        async with client_of(hangs(sent + garbage)) as (client, _):
            assert type(await outcome(client)) is InvalidAnswerError

    async def test_on_an_idle_connection_ends_it(self, garbage: bytes) -> None:
        later = asyncio.Event()
        async with client_of(answers_and_adds(garbage, later)) as (client, server):
            assert (await ask(client)).body == b"ok"
            later.set()
            await server.until_open(0)


class TestEmptyLine:
    async def test_behind_an_answer_changes_nothing(self) -> None:
        async with client_of(answers_and_adds(b"\r\n")) as (client, _):
            for _ in range(3):
                assert (await ask(client)).body == b"ok"

    async def test_on_an_idle_connection_ends_it(self) -> None:
        later = asyncio.Event()
        async with client_of(answers_and_adds(b"\r\n", later)) as (client, server):
            await ask(client)
            later.set()
            await server.until_open(0)


class TestRestOfAnAnswer:
    async def test_is_not_read_after_a_drop(self) -> None:
        async with client_of(hangs(OK[:-1])) as (client, server):
            is_read = asyncio.Event()

            def note(_: object) -> int:
                is_read.set()
                return 100

            exchange = client.begin("POST", "/", headers={}, body=b"?", accept=note)
            await is_read.wait()
            server.handle = keeps(WRONG)
            client.drop(exchange)
            assert (await ask(client)).body == b"wrong"
            assert server.accepted == 2

    async def test_is_not_read_after_a_body_that_is_too_large(self) -> None:
        async with client_of(keeps(with_length(b"a" * 10 + OK))) as (client, server):
            for _ in range(2):
                assert type(await outcome(client, accept=up_to(9))) is BodyTooLargeError
            assert server.accepted == 2
