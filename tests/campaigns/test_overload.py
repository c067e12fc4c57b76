"""Far past what the service can carry: everybody is told so, and nothing else breaks."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from attrs import define, field

from tests.campaigns.clients import (
    PATIENCE_S,
    Client,
    Vitals,
    ask_once,
    closes,
    get,
    livekit_apart,
    mute,
)
from tests.campaigns.figures import Figures, Length
from tests.command import Run
from tests.service import Answer

pytestmark = pytest.mark.campaign("load")

OVERLOADED = (503, "OVERLOADED")
USUAL = "-Sn 1024"
"""The limit of open files under which most programs are started."""
MOST_TOLD = 100
"""Connections too many at a time; of very many more not all are told."""


def outcome(answer: Answer) -> str:
    """Tell an answer in a word or two."""
    if answer.status == 200:
        return "200"
    told = answer.told == OVERLOADED and answer.headers.get("Retry-After") == "1"
    return "overloaded" if told else f"{answer.status} {answer.body!r}"


@define
class Flood:
    """Many connections that ask at once, and one after another that looks for life."""

    url: str
    request: bytes
    told: Counter[str] = field(factory=Counter)
    alive: Counter[str] = field(factory=Counter)

    async def ask(self, times: int) -> None:
        """Ask again and again over one connection, as a client without any patience does."""
        try:
            async with Client.connected(self.url) as client:
                for _ in range(times):
                    self.told[outcome(await client.ask(self.request))] += 1
        except (OSError, EOFError) as error:
            self.told[repr(error)] += 1

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look whether the service is alive all the while."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                answer = await ask_once(self.url, get("/livez"))
                self.alive[outcome(answer)] += 1
            except (OSError, EOFError) as error:
                self.alive[repr(error)] += 1
            await asyncio.sleep(0.02)


async def seconds_until_normal(url: str, request: bytes) -> float:
    """Ask for as long as not everybody is served."""
    began_s = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answers = await asyncio.gather(*(ask_once(url, request) for _ in range(5)))
            if all(answer.status == 200 for answer in answers):
                return time.perf_counter() - began_s


@pytest.fixture(autouse=True)
def room_for_clients() -> None:
    """Let this process have as many connections as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class TestTooManyRequests:
    async def test_are_answered_or_told_to_try_again(
        self, start: Run, tmp_path: Path, length: Length, figures: Figures
    ) -> None:
        connections, times = length(short=100, full=1000), length(short=5, full=100)
        at_once = max(10, length(short=10, full=50))
        with livekit_apart(tmp_path) as (settings, wish):
            running = start(ulimit=USUAL, MAX_IN_FLIGHT=str(at_once), **settings)
            vitals, flood = Vitals(running.process.pid), Flood(running.url, mute(wish))
            base = vitals.descriptors
            async with flood.watched():
                await asyncio.gather(*(flood.ask(times) for _ in range(connections)))
            until_normal_s = await seconds_until_normal(running.url, mute(wish))
        figures.note("connections", connections)
        figures.at_least("served", flood.told["200"], at_once)
        figures.at_least("told that it is overloaded", flood.told["overloaded"], connections)
        figures.at_least("signs of life", flood.alive["200"], 1)
        figures.at_most("MB resident at the most", vitals.peak_mb, 150)
        figures.at_most("descriptors left", await vitals.descriptors_down_to(base), base)
        figures.at_most("s until it is normal again", until_normal_s, 5, timed=True)
        assert set(flood.told) == {"200", "overloaded"}
        assert set(flood.alive) == {"200"}


class TestTooManyConnections:
    async def test_are_told_to_try_again_and_closed(
        self, start: Run, tmp_path: Path, length: Length, figures: Figures
    ) -> None:
        most, waves = max(20, length(short=20, full=200)), length(short=1, full=20)
        told: Counter[str] = Counter()
        with livekit_apart(tmp_path) as (settings, wish):
            request = mute(wish)
            running = start(ulimit=USUAL, MAX_CONNECTIONS=str(most), **settings)
            vitals = Vitals(running.process.pid)
            base = vitals.descriptors
            async with AsyncExitStack() as held:
                clients = [
                    await held.enter_async_context(Client.connected(running.url))
                    for _ in range(most)
                ]
                taken = [outcome(await each.ask(get("/livez"))) for each in clients]
                for _ in range(waves):
                    vain = (ask_in_vain(running.url, request, told) for _ in range(MOST_TOLD))
                    await asyncio.gather(*vain)
                alive = outcome(await ask_once(running.url, get("/livez")))
                served = [outcome(await each.ask(request)) for each in clients]
            until_normal_s = await seconds_until_normal(running.url, request)
        figures.note("connections taken", most)
        figures.at_least("connections told that it is overloaded", told["overloaded"], most)
        figures.at_most("descriptors left", await vitals.descriptors_down_to(base), base)
        figures.at_most("s until it is normal again", until_normal_s, 5, timed=True)
        assert taken == served == ["200"] * most
        assert told == {"overloaded": waves * MOST_TOLD}
        assert alive == "200"


async def ask_in_vain(url: str, request: bytes, told: Counter[str]) -> None:
    """Ask over a connection that is one too many."""
    try:
        async with Client.connected(url) as client:
            answer = await client.ask(request)
            closed = closes(answer) and await client.at_end()
            told[outcome(answer) if closed else "left open"] += 1
    except (OSError, EOFError) as error:
        told[repr(error)] += 1
