"""Under overload, requests and connections in excess are rejected with 503, and nothing breaks."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from attrs import define, field

from tests.robustness.clients import (
    MUTE_ALICE,
    Client,
    ProcessStats,
    closes,
    get,
    livekit_process,
    mute,
    request_once,
    slow_livekit,
)
from tests.robustness.metrics import Length, Metrics
from tests.support.command import Run
from tests.support.service import Answer
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("load")

OVERLOADED = (503, "OVERLOADED")
ULIMIT = "-Sn 1024"
"""The usual soft limit of open files."""
SURPLUS = 100
"""Connections in excess at a time: 256 of them get a response, more would be closed without."""


def outcome(answer: Answer) -> str:
    """Name a response in a word or two."""
    if answer.status == 200:
        return "200"
    is_overloaded = answer.outcome == OVERLOADED and answer.headers.get("Retry-After") == "1"
    return "overloaded" if is_overloaded else f"{answer.status} {answer.body!r}"


@define
class Flood:
    """Many connections that send requests at once, and a liveness probe all the while."""

    url: str
    request: bytes
    outcomes: Counter[str] = field(factory=Counter)
    liveness: Counter[str] = field(factory=Counter)

    async def run(self, connections: int, times: int) -> None:
        async with self._probed():
            await asyncio.gather(*(self._send(times) for _ in range(connections)))

    async def _send(self, times: int) -> None:
        """Send the request again and again on one connection, without any pause."""
        try:
            async with Client.connected(self.url) as client:
                for _ in range(times):
                    self.outcomes[outcome(await client.request(self.request))] += 1
        except (OSError, EOFError) as error:
            self.outcomes[repr(error)] += 1

    @asynccontextmanager
    async def _probed(self) -> AsyncIterator[None]:
        probing = asyncio.create_task(self._probe())
        try:
            yield
        finally:
            probing.cancel()
            with suppress(asyncio.CancelledError):
                await probing

    async def _probe(self) -> None:
        while True:
            try:
                answer = await request_once(self.url, get("/livez"))
                self.liveness[outcome(answer)] += 1
            except (OSError, EOFError) as error:
                self.liveness[repr(error)] += 1
            await asyncio.sleep(0.02)


@asynccontextmanager
async def requests_in_flight(
    url: str, number: int, released: asyncio.Event
) -> AsyncIterator[list[str]]:
    """Keep requests in flight during the block, then release them; yield their outcomes."""
    outcomes: list[str] = []
    requests = [asyncio.create_task(request_once(url, MUTE_ALICE)) for _ in range(number)]
    while outcome(await request_once(url, get("/nowhere"))) != "overloaded":  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)
    yield outcomes
    released.set()
    outcomes += map(outcome, await asyncio.gather(*requests))


async def seconds_until_normal(url: str, request: bytes) -> float:
    """Send requests until several at once are served."""
    began_s = time.perf_counter()
    while True:
        answers = await asyncio.gather(*(request_once(url, request) for _ in range(5)))
        if all(answer.status == 200 for answer in answers):
            return time.perf_counter() - began_s


@pytest.fixture(autouse=True)
def most_open_files() -> None:
    """Let this process have as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class TestRequestsInExcess:
    async def test_are_rejected_while_as_many_as_allowed_are_in_flight(
        self, start: Run, length: Length, metrics: Metrics
    ) -> None:
        connections, max_in_flight = length(short=100, full=1000), 10
        released = asyncio.Event()
        async with slow_livekit(HOUR_S, released=released) as settings:
            running = start(ulimit=ULIMIT, MAX_IN_FLIGHT=str(max_in_flight), **settings)
            flood = Flood(running.url, MUTE_ALICE)
            async with requests_in_flight(running.url, max_in_flight, released) as outcomes:
                await flood.run(connections, 1)
        metrics.note("connections", connections)
        assert flood.outcomes == {"overloaded": connections}
        assert set(flood.liveness) == {"200"}
        assert outcomes == ["200"] * max_in_flight

    async def test_are_served_or_rejected(
        self, start: Run, tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        connections, times = length(short=100, full=1000), length(short=5, full=100)
        max_in_flight = max(10, length(short=10, full=50))
        with livekit_process(tmp_path) as (settings, fields):
            running = start(ulimit=ULIMIT, MAX_IN_FLIGHT=str(max_in_flight), **settings)
            stats, flood = ProcessStats(running.process.pid), Flood(running.url, mute(fields))
            base = stats.descriptors
            await flood.run(connections, times)
            until_normal_s = await seconds_until_normal(running.url, mute(fields))
        metrics.note("rejected", flood.outcomes["overloaded"])
        metrics.at_least("served", flood.outcomes["200"], max_in_flight)
        metrics.at_least("liveness probes", flood.liveness["200"], 1)
        metrics.at_most("peak MB resident", stats.peak_mb, 150)
        metrics.at_most("descriptors left", await stats.settled_descriptors(base), base)
        metrics.at_most("s until normal", until_normal_s, 5, timed=True)
        assert set(flood.outcomes) <= {"200", "overloaded"}
        assert set(flood.liveness) == {"200"}


class TestConnectionsInExcess:
    async def test_are_rejected_and_closed(
        self, start: Run, tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        allowed, waves = max(20, length(short=20, full=200)), length(short=1, full=20)
        outcomes: Counter[str] = Counter()
        with livekit_process(tmp_path) as (settings, fields):
            request = mute(fields)
            running = start(ulimit=ULIMIT, MAX_CONNECTIONS=str(allowed), **settings)
            stats = ProcessStats(running.process.pid)
            base = stats.descriptors
            async with AsyncExitStack() as stack:
                clients = [
                    await stack.enter_async_context(Client.connected(running.url))
                    for _ in range(allowed)
                ]
                before = [outcome(await each.request(get("/livez"))) for each in clients]
                for _ in range(waves):
                    await asyncio.gather(
                        *(count_rejected(running.url, request, outcomes) for _ in range(SURPLUS))
                    )
                alive = outcome(await request_once(running.url, get("/livez")))
                after = [outcome(await each.request(request)) for each in clients]
            until_normal_s = await seconds_until_normal(running.url, request)
        metrics.note("connections allowed", allowed)
        metrics.at_most("descriptors left", await stats.settled_descriptors(base), base)
        metrics.at_most("s until normal", until_normal_s, 5, timed=True)
        assert before == after == ["200"] * allowed
        assert outcomes == {"overloaded": waves * SURPLUS}
        assert alive == "200"


async def count_rejected(url: str, request: bytes, outcomes: Counter[str]) -> None:
    """Send a request on a connection in excess, and count what becomes of both."""
    try:
        async with Client.connected(url) as client:
            answer = await client.request(request)
            closed = closes(answer) and await client.is_closed()
            outcomes[outcome(answer) if closed else "left open"] += 1
    except (OSError, EOFError) as error:
        outcomes[repr(error)] += 1
