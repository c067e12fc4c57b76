"""Every exchange ends: with an outcome, at its deadline, or with its client."""

import asyncio
import gc
from collections.abc import Callable

import httptools
import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import (
    CannotConnectError,
    ConnectionLostError,
    HttpClientError,
    InvalidAnswerError,
    NoAnswerInTimeError,
)
from adapters.http_client.exchange import Exchange
from adapters.http_client.messages import Head
from tests.adapters.http_client.raw_servers import (
    NO_LENGTH,
    OK,
    ask,
    client_of,
    head,
    keeps,
    outcome,
    serve,
    up_to,
    within,
)
from tests.support.connection_handlers import hangs, sends
from tests.support.timeouts import HOUR_S

TURNS = 40


def begin(client: HttpClient) -> Exchange:
    return client.begin("POST", "/", headers={}, body=b"?", accept=up_to(100))


def _timers() -> int:
    found = [each for each in gc.get_objects() if isinstance(each, asyncio.TimerHandle)]
    return sum(not each.cancelled() for each in found)


class TestDeadline:
    @pytest.mark.parametrize("sent", [b"", OK[:5], OK[:-1], NO_LENGTH, head(status="100 C")])
    async def test_ends_a_request_without_a_whole_answer(self, sent: bytes) -> None:
        async with client_of(hangs(sent)) as (client, server):
            late = await outcome(client, deadline=within(0.1))
            assert isinstance(late, NoAnswerInTimeError)
            assert late.reason == "no answer before the deadline"
            assert not late.on_kept_connection
            await server.until_open(0)

    @pytest.mark.parametrize("delay_s", [0, -HOUR_S])
    async def test_may_be_over(self, delay_s: float) -> None:
        async with client_of(hangs(), max_connections=1) as (client, server):
            for _ in range(3):
                assert type(await outcome(client, deadline=within(delay_s))) is NoAnswerInTimeError
            await server.until_open(0)

    async def test_tells_that_there_was_no_connection(self) -> None:
        async with (
            serve(hangs()) as server,
            HttpClient(f"https://127.0.0.1:{server.port}", 1) as client,
        ):
            connecting = begin(client)
            waits = await outcome(client, deadline=within(0.05))
            with pytest.raises(NoAnswerInTimeError) as late:
                await client.finish(connecting, within(0.05))
        where = f"127.0.0.1:{server.port}"
        assert isinstance(waits, NoAnswerInTimeError)
        assert waits.reason == f"no connection to {where} became free before the deadline"
        assert late.value.reason == f"cannot connect to {where}: no answer before the deadline"

    async def test_ends_connecting(self) -> None:
        async with (
            serve(hangs()) as server,
            HttpClient(f"https://127.0.0.1:{server.port}", 1) as client,
        ):
            assert type(await outcome(client, deadline=within(0.05))) is NoAnswerInTimeError
            await server.until_open(0)

    @pytest.mark.asyncio(loop_factories=["asyncio"])
    async def test_leaves_no_timer(self) -> None:
        async with client_of(keeps(OK)) as (client, _):
            await ask(client)
            before = _timers()
            for _ in range(5):
                await ask(client)
            assert _timers() == before

    async def test_does_not_end_one_that_is_only_waited_for(self) -> None:
        async with client_of(keeps(OK)) as (client, _):
            exchange = begin(client)
            assert not await exchange.wait(within(0))
            assert (await client.finish(exchange, within(HOUR_S))).body == b"ok"

    async def test_does_not_matter_once_there_is_an_outcome(self) -> None:
        async with client_of(keeps(OK)) as (client, _):
            exchange = begin(client)
            assert await exchange.wait(within(HOUR_S))
            assert (await client.finish(exchange, within(-1))).body == b"ok"


class TestCancelling:
    @pytest.mark.parametrize("turns", range(0, TURNS, 3))
    async def test_drops_the_request(self, turns: int) -> None:
        async with client_of(hangs(), max_connections=1) as (client, server):
            asked = asyncio.create_task(ask(client))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await server.until_open(0)
            server.handle = keeps(OK)
            assert (await ask(client)).body == b"ok"

    async def test_of_who_waits_does_not_end_the_exchange(self) -> None:
        async with client_of(keeps(OK)) as (client, _):
            exchange = begin(client)
            waiting = asyncio.create_task(exchange.wait(within(HOUR_S)))
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await client.finish(exchange, within(HOUR_S))).body == b"ok"


class TestDrop:
    @pytest.mark.parametrize("turns", range(TURNS))
    async def test_keeps_a_request_from_being_sent_later(self, turns: int) -> None:
        async with client_of(hangs()) as (client, server):
            exchange = begin(client)
            for _ in range(turns):
                await asyncio.sleep(0)
            was_sent = exchange.carrier is not None and not isinstance(
                exchange.carrier, asyncio.Task
            )
            client.drop(exchange)
            for _ in range(2 * TURNS):
                await asyncio.sleep(0)
            assert isinstance(exchange.outcome, HttpClientError)
            assert isinstance(exchange.outcome, ConnectionLostError) == was_sent
            await server.until_open(0)

    async def test_does_nothing_once_it_ended(self) -> None:
        async with client_of(keeps(OK)) as (client, server):
            exchange = begin(client)
            answer = await client.finish(exchange, within(HOUR_S))
            client.drop(exchange)
            assert exchange.outcome is answer
            await ask(client)
            assert server.accepted == 1


class TestClosing:
    @pytest.mark.parametrize("turns", range(TURNS))
    async def test_ends_everything(self, turns: int) -> None:
        async with serve(hangs(NO_LENGTH)) as server:
            async with HttpClient(server.url, max_connections=2) as client:
                begun = [begin(client) for _ in range(5)]
                for _ in range(turns):
                    await asyncio.sleep(0)
            names = {getattr(each.get_coro(), "__qualname__", "") for each in asyncio.all_tasks()}
            assert not [each for each in names if each == "connect" or "staggered" in each]
            for exchange in begun:
                with pytest.raises((CannotConnectError, ConnectionLostError)) as ended:
                    await client.finish(exchange, within(HOUR_S))
                assert ended.value.reason == "given up"
            await server.until_open(0)
            assert server.accepted <= 2

    async def test_refuses_what_comes_later(self) -> None:
        async with serve(keeps(OK)) as server:
            async with HttpClient(server.url, max_connections=2) as client:
                await ask(client)
            late = await outcome(client)
            assert type(late) is CannotConnectError
            assert late.reason == "the client is closed"
            assert server.accepted == 1
            await server.until_open(0)


class TestAccept:
    @pytest.mark.parametrize(
        "error",
        [ValueError("x"), LookupError(), httptools.HttpParserError("x"), InvalidAnswerError("x")],
    )
    async def test_raises_what_the_caller_gets(self, error: Exception) -> None:
        def refuse(_: Head) -> int:
            raise error

        async with client_of(keeps(OK)) as (client, server):
            with pytest.raises(type(error)) as raised:
                await ask(client, accept=refuse)
            assert raised.value is error
            await server.until_open(0)

    async def test_is_asked_once_and_not_about_1xx(self) -> None:
        heads: list[Head] = []

        def note(head: Head) -> int:
            heads.append(head)
            return 100

        async with client_of(sends(head(status="103 Early Hints"), OK)) as (client, _):
            await ask(client, accept=note)
        assert heads == [Head(200, {"content-length": "2"})]

    @pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
    async def test_cannot_leave_an_exchange_without_an_outcome(
        self, error: Callable[[], BaseException]
    ) -> None:
        def refuse(_: Head) -> int:
            raise error()

        async with client_of(keeps(OK)) as (client, _):
            assert type(await outcome(client, accept=refuse)) is InvalidAnswerError
