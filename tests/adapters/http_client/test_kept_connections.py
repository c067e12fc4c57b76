"""Which kept connections are used again: none that was idle for long or may be dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import NoAnswerInTimeError
from adapters.http_client.exchange import Exchange
from tests.adapters.http_client.raw_servers import (
    OK,
    Server,
    ask,
    client_of,
    keeps,
    outcome,
    serve,
    up_to,
    within,
)
from tests.adapters.http_client.relay import Relay, relay_to
from tests.support.connection_handlers import read_request, sends
from tests.support.movable_clock import advance_clock
from tests.support.timeouts import HOUR_S

SOON_S = 0.3
"""A deadline that is over before an answer that does not come, and late enough for suspicion."""


def begin(client: HttpClient, target: str = "/") -> Exchange:
    return client.begin("POST", target, headers={}, body=b"?", accept=up_to(100))


async def keep(client: HttpClient, number: int) -> None:
    """Have so many idle connections."""
    begun = [begin(client) for _ in range(number)]
    for exchange in begun:
        await client.finish(exchange, within(HOUR_S))


class Station:
    """Answers requests for ``/slow`` once they may be, and those for ``/never`` not at all."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            target = await read_request(reader)
            if target == "/never":
                await reader.read()
            if target == "/slow":
                await self.may_end.wait()
            writer.write(OK)


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[HttpClient, Relay, Server]]:
    async with (
        serve(keeps(OK)) as server,
        relay_to(server) as (relay, listening),
        HttpClient(listening.url, max_connections=10) as client,
    ):
        yield client, relay, listening


class TestTimeoutOnKeptConnection:
    async def test_has_no_other_one_used(self) -> None:
        async with relayed() as (client, relay, listening):
            await keep(client, 6)
            assert listening.accepted == 6
            relay.silence()
            late = await outcome(client, deadline=within(SOON_S))
            assert type(late) is NoAnswerInTimeError
            assert late.on_kept_connection
            assert (await ask(client)).body == b"ok"
            assert listening.accepted == 7
            await listening.until_open(1)

    async def test_has_those_not_used_that_were_busy(self) -> None:
        station = Station()
        async with client_of(station.handle) as (client, server):
            await keep(client, 2)
            slow = begin(client, "/slow")
            assert type(await outcome(client, target="/never", deadline=within(SOON_S))) is (
                NoAnswerInTimeError
            )
            station.may_end.set()
            assert (await client.finish(slow, within(HOUR_S))).body == b"ok"
            await server.until_open(0)
            await keep(client, 2)
            assert server.accepted == 4

    async def test_of_little_time_has_all_used(self) -> None:
        """Or else clients whose requests have little time left would cost new connections."""
        async with relayed() as (client, relay, listening):
            await keep(client, 3)
            relay.silence()
            late = await outcome(client, deadline=within(0))
            assert type(late) is NoAnswerInTimeError
            await listening.until_open(2)
            assert begin(client).on_kept_connection
            assert listening.accepted == 3

    async def test_lets_new_connections_be_kept(self) -> None:
        async with relayed() as (client, relay, listening):
            await keep(client, 1)
            relay.silence()
            await outcome(client, deadline=within(SOON_S))
            for _ in range(3):
                await ask(client)
            assert listening.accepted == 2

    async def test_lets_those_who_wait_have_new_ones(self) -> None:
        station = Station()
        async with client_of(station.handle, max_connections=2) as (client, server):
            await keep(client, 2)
            slow, never = begin(client, "/slow"), begin(client, "/never")
            waiting = [begin(client) for _ in range(4)]
            with pytest.raises(NoAnswerInTimeError):
                await client.finish(never, within(SOON_S))
            station.may_end.set()
            for exchange in (slow, *waiting):
                assert (await client.finish(exchange, within(HOUR_S))).body == b"ok"
            assert not any(exchange.on_kept_connection for exchange in waiting[:1])
            assert server.accepted == 4


class TestConnectionsStayTrusted:
    async def test_after_a_timeout_on_a_new_one(self) -> None:
        station = Station()
        async with client_of(station.handle) as (client, server):
            await keep(client, 1)
            slow = begin(client, "/slow")
            late = await outcome(client, target="/never", deadline=within(10 * SOON_S))
            assert type(late) is NoAnswerInTimeError
            assert not late.on_kept_connection
            station.may_end.set()
            await client.finish(slow, within(HOUR_S))
            await ask(client)
            assert server.accepted == 2

    async def test_after_a_drop(self) -> None:
        async with client_of(Station().handle) as (client, server):
            await keep(client, 2)
            never = begin(client, "/never")
            assert not await never.wait(within(SOON_S))
            client.drop(never)
            await ask(client)
            assert never.on_kept_connection
            assert server.accepted == 2

    async def test_after_a_timeout_of_one_that_waited(self) -> None:
        station = Station()
        async with client_of(station.handle, max_connections=1) as (client, server):
            await keep(client, 1)
            slow = begin(client, "/slow")
            assert type(await outcome(client, deadline=within(SOON_S))) is NoAnswerInTimeError
            station.may_end.set()
            await client.finish(slow, within(HOUR_S))
            await ask(client)
            assert server.accepted == 1


class TestConnectionAboutToClose:
    async def test_is_not_used(self) -> None:
        async with client_of(sends(OK)) as (client, server):
            await keep(client, 1)
            [connection] = client._connections  # noqa: SLF001 - until the next turn of the loop
            while not connection.is_closed:  # noqa: ASYNC110 - looks at each turn
                await asyncio.sleep(0)
            exchange = begin(client)
            assert (await client.finish(exchange, within(HOUR_S))).body == b"ok"
            assert not exchange.on_kept_connection
            assert server.accepted == 2


@pytest.mark.asyncio(loop_factories=["asyncio"])
class TestIdleConnection:
    async def test_is_closed_after_30_s(self) -> None:
        async with client_of(keeps(OK)) as (client, server):
            await keep(client, 2)
            advance_clock(20)
            await ask(client)
            advance_clock(9)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(server.talks) == 2
            advance_clock(1.1)
            await server.until_open(1)
            advance_clock(20)
            await server.until_open(0)

    async def test_is_not_used_after_30_s_even_if_it_is_still_open(self) -> None:
        async with client_of(keeps(OK)) as (client, server):
            await keep(client, 2)
            advance_clock(30.1)
            exchange = begin(client)  # before the loop could close them
            await client.finish(exchange, within(HOUR_S))
            assert not exchange.on_kept_connection
            assert server.accepted == 3
            await server.until_open(1)

    async def test_is_used_before_30_s(self) -> None:
        async with client_of(keeps(OK)) as (client, server):
            for _ in range(5):
                await ask(client)
                advance_clock(29)
            assert server.accepted == 1

    async def test_does_not_count_the_time_of_its_exchange(self) -> None:
        station = Station()
        async with client_of(station.handle) as (client, server):
            await ask(client)
            slow = begin(client, "/slow")
            advance_clock(100)
            station.may_end.set()
            await client.finish(slow, within(HOUR_S))
            await ask(client)
            assert server.accepted == 1
