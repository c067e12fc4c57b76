"""Connections are bounded, waiters are served in order, and every failure gives its place back."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import (
    CannotConnectError,
    InvalidAnswerError,
    NoAnswerInTimeError,
)
from adapters.http_client.exchange import Exchange
from tests.adapters.http_client.raw_servers import (
    OK,
    Server,
    ask,
    client_of,
    keeps,
    outcome,
    serve,
    until,
    up_to,
    with_length,
    within,
)
from tests.support.connection_handlers import ConnectionHandler, hangs, read_request, sends
from tests.support.timeouts import HOUR_S

MAX = 3
TURNS = 40
"""More turns of the loop than opening a connection on loopback takes."""


class Gate:
    """Answers no request before it is open."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.targets: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.targets.append(await read_request(reader))
            await self.opened.wait()
            writer.write(OK)

    async def until_asked(self, number: int) -> None:
        await until(lambda: len(self.targets) >= number)


def begin(client: HttpClient, target: str = "/") -> Exchange:
    return client.begin("POST", target, headers={}, body=b"?", accept=up_to(100))


async def serves_all_places(client: HttpClient, server: Server) -> None:
    """Check that as many requests are carried at once as may be, and no more."""
    gate = Gate()
    await server.until_open(0)
    server.handle = gate.handle
    asked = [asyncio.create_task(ask(client)) for _ in range(client.max_connections + 1)]
    await gate.until_asked(client.max_connections)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert len(gate.targets) == len(server.talks) == client.max_connections
    gate.opened.set()
    await asyncio.gather(*asked)
    assert len(server.talks) <= client.max_connections


class TestConnections:
    async def test_are_bounded(self) -> None:
        async with client_of(keeps(OK), max_connections=MAX) as (client, server):
            await serves_all_places(client, server)
            await asyncio.gather(*(ask(client) for _ in range(100)))
            assert server.accepted == MAX

    async def test_are_used_again(self) -> None:
        async with client_of(keeps(OK)) as (client, server):
            for _ in range(10):
                await ask(client)
            assert server.accepted == 1

    async def test_that_were_used_last_are_used_first(self) -> None:
        carriers: dict[str, asyncio.StreamWriter] = {}
        may_end = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                target = await read_request(reader)
                carriers[target] = writer
                if target == "/slow":
                    await may_end.wait()
                writer.write(OK)

        async with client_of(handle) as (client, _):
            slow, fast = begin(client, "/slow"), begin(client, "/fast")
            await client.finish(fast, within(HOUR_S))
            may_end.set()
            await client.finish(slow, within(HOUR_S))
            for target in ("/next", "/last"):
                await ask(client, target)
                assert carriers[target] is carriers["/slow"] is not carriers["/fast"]

    async def test_that_the_server_closes_are_not_used(self) -> None:
        async with client_of(sends(OK), max_connections=1) as (client, server):
            for _ in range(5):
                assert (await ask(client)).body == b"ok"
                await server.until_open(0)
            assert server.accepted == 5


class TestWaiters:
    async def test_are_served_in_order_of_arrival(self) -> None:
        gate = Gate()
        async with client_of(gate.handle, max_connections=1) as (client, _):
            asked = [asyncio.create_task(ask(client, f"/{i}")) for i in range(20)]
            await gate.until_asked(1)
            gate.opened.set()
            await asyncio.gather(*asked)
        assert gate.targets == [f"/{i}" for i in range(20)]

    async def test_take_turns_by_those_on_whose_behalf_they_wait(self) -> None:
        gate, whose = Gate(), ContextVar("whose", default="a")
        async with client_of(gate.handle, max_connections=1) as (client, _):
            client.whose = whose.get
            asked = [asyncio.create_task(ask(client, f"/a{i}")) for i in range(5)]
            await gate.until_asked(1)
            for name in ("b", "c"):
                whose.set(name)
                asked += [asyncio.create_task(ask(client, f"/{name}{i}")) for i in range(2)]
            await asyncio.sleep(0)
            gate.opened.set()
            await asyncio.gather(*asked)
        assert gate.targets == [
            f"/{each}" for each in ["a0", "a1", "b0", "c0", "a2", "b1", "c1", "a3", "a4"]
        ]

    @pytest.mark.parametrize("gone", [{1}, {2, 3}, {1, 4}, {1, 2, 3, 4}])
    async def test_leave_when_they_are_cancelled(self, gone: set[int]) -> None:
        gate = Gate()
        async with client_of(gate.handle, max_connections=1) as (client, _):
            asked = [asyncio.create_task(ask(client, f"/{i}")) for i in range(5)]
            await gate.until_asked(1)
            for i in gone:
                asked[i].cancel()
            gate.opened.set()
            await asyncio.wait(asked)
            assert gate.targets == [f"/{i}" for i in range(5) if i not in gone]
            assert {i for i in range(5) if asked[i].cancelled()} == gone

    async def test_are_not_served_after_their_deadline(self) -> None:
        gate = Gate()
        async with client_of(gate.handle, max_connections=1) as (client, _):
            first = asyncio.create_task(ask(client, "/0"))
            await gate.until_asked(1)
            late = await outcome(client, deadline=within(0))
            assert type(late) is NoAnswerInTimeError
            assert (
                late.reason == f"no connection to {client.address} became free before the deadline"
            )
            gate.opened.set()
            await first
            await ask(client, "/2")
        assert gate.targets == ["/0", "/2"]

    async def test_are_served_where_the_one_before_them_failed(self) -> None:
        async with client_of(sends(b"garbage"), max_connections=1) as (client, _):
            outcomes = await asyncio.gather(*(outcome(client) for _ in range(5)))
        assert {type(each) for each in outcomes} == {InvalidAnswerError}


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close before there is a request."""


FAILURES: Mapping[str, ConnectionHandler] = {
    "closed at once": refuse,
    "closed": sends(),
    "reset": sends(resets=True),
    "garbage": sends(b"garbage"),
    "incomplete": sends(OK[:-1]),
    "too large": sends(with_length(b"a" * (2 << 20))),
    "more than the answer": sends(OK + OK),
    "closed when idle": sends(OK),
}


class TestPlace:
    @pytest.mark.parametrize("name", FAILURES)
    async def test_is_given_back_after(self, name: str) -> None:
        async with client_of(FAILURES[name], max_connections=MAX) as (client, server):
            for _ in range(2):
                await asyncio.gather(*(outcome(client) for _ in range(2 * MAX)))
            await serves_all_places(client, server)

    async def test_is_given_back_after_connecting_failed(self) -> None:
        async with serve(keeps(OK)) as server:
            port = server.port
        async with HttpClient(f"http://127.0.0.1:{port}", MAX) as client:
            outcomes = await asyncio.gather(*(outcome(client) for _ in range(3 * MAX)))
            assert {type(each) for each in outcomes} == {CannotConnectError}
            async with serve(keeps(OK), port=port) as server:
                await serves_all_places(client, server)

    @pytest.mark.parametrize("turns", range(TURNS))
    async def test_is_given_back_after_a_drop(self, turns: int) -> None:
        """Drop at each stage: before connecting, at each step of it, and when it was sent."""
        async with client_of(hangs(), max_connections=MAX) as (client, server):
            for _ in range(2):
                begun = [begin(client) for _ in range(2 * MAX)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for exchange in begun:
                    client.drop(exchange)
            await serves_all_places(client, server)

    async def test_is_given_back_after_a_deadline(self) -> None:
        async with client_of(hangs(), max_connections=MAX) as (client, server):
            outcomes = [outcome(client, deadline=within(i / 1000)) for i in range(20)]
            assert {type(each) for each in await asyncio.gather(*outcomes)} == {NoAnswerInTimeError}
            await serves_all_places(client, server)

    async def test_is_given_back_after_accept_raised(self) -> None:
        def refuse_all(_: object) -> int:
            raise LookupError("s3cret")

        async with client_of(keeps(OK), max_connections=MAX) as (client, server):
            for _ in range(2 * MAX):
                with pytest.raises(LookupError, match="s3cret"):
                    await ask(client, accept=refuse_all)
                await server.until_open(0)
            await serves_all_places(client, server)
