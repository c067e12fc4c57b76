"""A rate in a real Redis, which may be away, frozen, slow or strange."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
from attrs import frozen

from adapters.rates.shared import SharedRateLimiter, open_shared
from adapters.rates.unknown import Cause, UnknownRates
from domain.rate import Rate
from tests.support.redis_server import RedisServer
from tests.support.server_process import free_ports

QUOTA = 5
RATE = Rate(quota=QUOTA, window_s=3600)

pytestmark = pytest.mark.redis


@frozen
class Opened:
    limiter: SharedRateLimiter
    unknown: UnknownRates

    async def passed(self, number: int, key: str = "tenant") -> int:
        """Return how many of so many hits pass whose rate is known."""
        before = self.unknown.passed.total()
        waits = [await self.limiter.hit(key) for _ in range(number)]
        return waits.count(0) - (self.unknown.passed.total() - before)

    async def refused(self, key: str = "tenant") -> float:
        """Hit until a hit is refused, and return for how long; a slow machine lets some pass."""
        for _ in range(1000):
            if wait_s := await self.limiter.hit(key):
                return wait_s
        return 0.0


Open = Callable[..., Awaitable[Opened]]


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def calls(redis_server: RedisServer) -> int:
    """Return how many scripts have been run."""
    found = re.search(r"cmdstat_evalsha:calls=(\d+)", redis_server.ask("INFO commandstats"))
    return int(found[1]) if found else 0


async def idle() -> None:
    """Wait until nothing else runs."""
    for _ in range(1000):
        if len(asyncio.all_tasks()) == 1:
            return
        await asyncio.sleep(0.01)


def length(redis_server: RedisServer) -> str:
    """Return how many hits of the only tenant are counted, as Redis writes it."""
    words = redis_server.ask("KEYS *").split()
    (key,) = (word for word in words if word.startswith("livekit-mute:"))
    return redis_server.ask(f"LLEN {key}").split()[-2]


@pytest.fixture
async def open_to() -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def opened(url: str, rate: Rate = RATE) -> Opened:
            unknown = UnknownRates()
            limiter = await stack.enter_async_context(
                open_shared(url=url, rate=rate, unknown=unknown)
            )
            return Opened(limiter, unknown)

        yield opened


@pytest.fixture
async def opened(open_to: Open, redis_server: RedisServer) -> Opened:
    opened = await open_to(redis_server.url)
    reason = await opened.limiter.verify()
    for _ in range(30):  # a slow machine may not answer within a second
        if reason:
            reason = await opened.limiter.verify()
    assert reason == ""
    return opened


class TestHit:
    async def test_passes_as_many_as_the_rate_allows(self, opened: Opened) -> None:
        assert await opened.passed(QUOTA + 20) <= QUOTA
        assert 3000 < await opened.refused() <= 3600

    async def test_counts_each_key_on_its_own(self, opened: Opened) -> None:
        await opened.passed(QUOTA + 20, key="a")
        assert await opened.refused("a")
        assert await opened.limiter.hit("b") == 0

    async def test_shares_the_rate_with_others(
        self, open_to: Open, opened: Opened, redis_server: RedisServer
    ) -> None:
        other = await open_to(redis_server.url)
        waits = await asyncio.gather(
            *(each.limiter.hit("tenant") for each in (opened, other) for _ in range(200))
        )
        unknown = opened.unknown.passed.total() + other.unknown.passed.total()
        assert QUOTA <= waits.count(0) <= QUOTA + unknown

    async def test_costs_few_calls_in_a_flood(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        before = calls(redis_server)
        await asyncio.gather(*(opened.limiter.hit("tenant") for _ in range(500)))
        assert calls(redis_server) - before < 30

    async def test_costs_no_call_while_a_key_is_known_to_be_full(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        assert await opened.refused()
        before = calls(redis_server)
        for _ in range(100):
            await opened.limiter.hit("tenant")
        assert calls(redis_server) - before < 50

    async def test_counts_no_more_than_what_passes(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        await asyncio.gather(*(opened.limiter.hit("tenant") for _ in range(QUOTA - 1)))
        await asyncio.gather(*(opened.limiter.hit("tenant") for _ in range(3)))
        assert await opened.refused()
        assert length(redis_server) == f":{QUOTA}"


class TestRedis:
    async def test_away_lets_requests_pass(self, open_to: Open) -> None:
        (port,) = free_ports(1)
        opened = await open_to(f"redis://127.0.0.1:{port}")
        assert [await opened.limiter.hit("tenant") for _ in range(QUOTA + 5)] == [0] * (QUOTA + 5)
        assert opened.unknown.passed.total() == QUOTA + 5
        reason = await opened.limiter.verify()
        assert reason == f"cannot connect to 127.0.0.1:{port}: connection refused"

    async def test_away_is_logged_at_the_start(
        self, open_to: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        (port,) = free_ports(1)
        await open_to(f"redis://127.0.0.1:{port}")
        for _ in range(1000):
            if caplog.records:
                break
            await asyncio.sleep(0.01)
        (record,) = caplog.records
        assert record.message == "Redis cannot be used yet"
        assert "connection refused" in vars(record)["reason"]

    async def test_frozen_lets_requests_pass_without_a_pile_up(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        before = open_files()
        with redis_server.stopped():
            for _ in range(30):
                waits = await asyncio.gather(*(opened.limiter.hit(f"{n}") for n in range(20)))
                assert not any(waits)
            tasks, files = len(asyncio.all_tasks()), open_files()
        assert opened.unknown.passed.total() == 600
        assert opened.unknown.passed[Cause.SLOW] > 300
        assert tasks < 50
        assert files - before < 20

    async def test_goes_on_after_it_was_frozen(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        with redis_server.stopped():
            await opened.limiter.hit("tenant")
        assert await opened.refused()

    async def test_frozen_counts_at_most_the_call_that_it_has_got(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        await idle()
        with redis_server.stopped():
            first = asyncio.create_task(opened.limiter.hit("tenant"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # the call is for the first one only
            others = (opened.limiter.hit("tenant") for _ in range(3))
            assert await asyncio.gather(first, *others) == [0] * 4
        await idle()
        assert length(redis_server) == ":1"

    async def test_restarted_counts_again(self, opened: Opened, redis_server: RedisServer) -> None:
        assert await opened.refused()
        before = opened.unknown.passed.copy()
        redis_server.kill()
        hits = 0
        while opened.unknown.passed[Cause.FAILED] == before[Cause.FAILED]:  # others were slow
            assert await opened.limiter.hit("other") == 0
            hits += 1
        assert opened.unknown.passed.total() - before.total() == hits
        redis_server.start()
        assert await opened.refused("other")

    async def test_restarted_empty_lets_a_full_key_pass_soon(
        self, opened: Opened, redis_server: RedisServer
    ) -> None:
        assert await opened.refused()
        redis_server.kill()
        redis_server.start()
        for _ in range(1000):
            if await opened.limiter.hit("tenant") == 0:
                return
            await asyncio.sleep(0.05)
        pytest.fail("it is refused still")

    async def test_without_memory_is_told(self, opened: Opened, redis_server: RedisServer) -> None:
        redis_server.ask("CONFIG SET maxmemory 1")
        assert await opened.limiter.hit("tenant") == 0
        assert opened.unknown.passed.total() == 1

    async def test_that_is_another_server_lets_requests_pass(self, open_to: Open) -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            opened = await open_to(f"redis://127.0.0.1:{port}")
            assert await opened.limiter.hit("tenant") == 0
            assert await opened.limiter.verify()

    async def test_that_answers_some_connections_never_is_logged_with_the_reason_of_others(
        self, open_to: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        connections = count()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if next(connections) == 0:
                await reader.read()  # until it is given up
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            await open_to(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            while not caplog.records:  # noqa: ASYNC110 - a task of the limiter's logs it
                await asyncio.sleep(0.01)
        (record,) = caplog.records
        assert re.search("connection lost|connection reset", vars(record)["reason"])

    async def test_that_ends_a_connection_is_not_asked_again(self, open_to: Open) -> None:
        asked = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            while received := await reader.read(4096):
                if b"EVALSHA" in received:
                    asked += 1
                    break
                writer.write(b"+OK\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            opened = await open_to(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            assert await opened.limiter.verify() == "connection lost"
            await idle()
            before = asked
            assert await opened.limiter.hit("tenant") == 0
            await idle()  # a slow machine asks after the hit has passed
            assert asked == before + 1


async def test_the_first_requests_find_a_connection(
    open_to: Open, redis_server: RedisServer
) -> None:
    """Those that are opened at the start are all there may be."""
    opened = await open_to(redis_server.url)
    await asyncio.gather(*(opened.limiter.hit(f"tenant-{number}") for number in range(8)))
    assert opened.unknown.passed[Cause.FAILED] == 0
