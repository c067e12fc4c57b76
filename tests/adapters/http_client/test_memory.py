"""What is freed without the garbage collector, which an outage or large answers would outrun."""

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from adapters.http_client.errors import HttpClientError
from adapters.http_client.exchange import Exchange
from adapters.http_client.messages import Answer
from adapters.http_client.parser import AnswerParser
from tests.adapters.http_client.raw_servers import (
    OK,
    ask,
    client_of,
    keeps,
    outcome,
    until,
    up_to,
    with_length,
    within,
)
from tests.adapters.http_client.test_slots import FAILURES
from tests.support.connection_handlers import hangs

MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def no_garbage_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held() -> int:
    kinds = (Exchange, AnswerParser, HttpClientError, LookupError, Answer)
    return sum(isinstance(each, kinds) for each in gc.get_objects())


def refuse(_: object) -> int:
    raise LookupError


class TestFailure:
    @pytest.mark.parametrize("name", FAILURES)
    async def test_leaves_nothing_behind(self, name: str) -> None:
        before = held()
        async with client_of(FAILURES[name]) as (client, _):
            for _ in range(3):
                await outcome(client)
            await until(lambda: held() == before)

    async def test_at_the_deadline_leaves_nothing_behind(self) -> None:
        before = held()
        async with client_of(hangs(OK[:-1])) as (client, _):
            await outcome(client, deadline=within(0.05))
            await until(lambda: held() == before)

    async def test_by_accept_leaves_nothing_behind(self) -> None:
        before = held()
        async with client_of(keeps(OK)) as (client, _):
            with suppress(LookupError):
                await ask(client, accept=refuse)
            await until(lambda: held() == before)


class TestIdleConnection:
    async def test_does_not_hold_its_last_answer(self) -> None:
        async with client_of(keeps(with_length(bytes(MEBIBYTE)))) as (client, server):
            tracemalloc.start()
            try:
                await asyncio.gather(*(ask(client, accept=up_to(MEBIBYTE)) for _ in range(3)))
                await asyncio.sleep(0)
                size, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert len(server.talks) == 3
            assert size < MEBIBYTE
