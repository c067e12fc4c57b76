"""Told to stop while many ask: no request is lost, and the log knows of each."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from attrs import define, field

from tests.campaigns.clients import (
    MUTE_ALICE,
    PATIENCE_S,
    Client,
    closes,
    get,
    slow_livekit,
)
from tests.campaigns.figures import Figures, Length
from tests.command import Run, Running
from tests.service import Answer

pytestmark = pytest.mark.campaign("SIGTERM under load")

READY = get("/readyz")
GRACE_S = 5


@define
class Crowd:
    """Clients who ask until nobody takes their connection any more."""

    url: str
    request: bytes = MUTE_ALICE
    answers: list[Answer] = field(factory=list)
    readiness: list[int] = field(factory=list)
    lost: Counter[str] = field(factory=Counter)

    async def ask(self, *, keep_alive: bool) -> None:
        """Ask for mutes, over a connection each or over one until it is said to be closed."""
        taken = True
        while taken:
            taken = False
            try:
                async with Client.connected(self.url) as client:
                    taken = True
                    await self._ask_over(client, keep_alive=keep_alive)
            except (OSError, EOFError) as error:
                if taken:  # or else it was refused, or reset in the middle of its handshake
                    self.lost[repr(error)] += 1

    async def _ask_over(self, client: Client, *, keep_alive: bool) -> None:
        stays = True
        while stays:
            answer = await client.ask(self.request)
            self.answers.append(answer)
            stays = keep_alive and not closes(answer)
            if stays:
                await asyncio.sleep(0.02)

    async def look(self) -> None:
        """Look whether the service is ready, as a load balancer does."""
        with suppress(ConnectionRefusedError):
            while True:
                async with Client.connected(self.url) as client:
                    answer = await client.ask(READY)
                self.answers.append(answer)
                self.readiness.append(answer.status)
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def asking(self, *, keep_alive: int, one_shot: int) -> AsyncIterator[None]:
        """Ask for a while before the block, and to the end after it."""
        kinds = [True] * keep_alive + [False] * one_shot
        tasks = [asyncio.create_task(self.ask(keep_alive=kind)) for kind in kinds]
        tasks.append(asyncio.create_task(self.look()))
        await asyncio.sleep(0.5)
        try:
            yield
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def told(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


async def seconds_to_end(running: Running) -> float:
    began_s = time.perf_counter()
    await asyncio.to_thread(running.process.wait, PATIENCE_S)
    return time.perf_counter() - began_s


def check_log(running: Running, crowd: Crowd) -> None:
    """Compare the log with the answers: one event for each, under its id and its status."""
    logged = Counter(
        (event["request_id"], event["status"])
        for event in running.events
        if event["event"] == "request"
    )
    assert logged == Counter((each.headers["X-Request-ID"], each.status) for each in crowd.answers)


def unready_to_the_end(readiness: list[int]) -> bool:
    """Tell whether it was said to be unready once, or more often, and never ready after that."""
    return readiness[-1:] == [503] and readiness == sorted(readiness)


class TestToldToStop:
    @pytest.mark.parametrize(
        ("delay_s", "drain_s"),
        [(0.02, 10), (4, 0.5)],
        ids=["while answers come soon", "while LiveKit hangs"],
    )
    async def test_loses_no_request(
        self, start: Run, length: Length, figures: Figures, *, delay_s: float, drain_s: float
    ) -> None:
        clients, told, ended_s = length(short=20, full=100), Counter[int](), 0.0
        lost: Counter[str] = Counter()
        for _ in range(length(short=1, full=20)):
            async with slow_livekit(delay_s) as settings:
                running = start(DRAIN_TIMEOUT_SECONDS=str(drain_s), **settings)
                crowd = Crowd(running.url)
                async with crowd.asking(keep_alive=clients, one_shot=clients):
                    running.process.send_signal(signal.SIGTERM)
                    ended_s = max(ended_s, await seconds_to_end(running))
            told += crowd.told
            lost += crowd.lost
            assert running.process.returncode == 0
            assert unready_to_the_end(crowd.readiness)
            check_log(running, crowd)
        figures.note("requests answered", told.total())
        figures.at_most("requests lost", lost.total(), 0)
        figures.at_most("s to the end", ended_s, drain_s + GRACE_S, timed=True)
        assert not lost
        assert set(told) <= {200, 503}
        assert told[503] if delay_s > drain_s else told[200]

    @pytest.mark.soak
    async def test_is_not_kept_by_newcomers(self, start: Run, figures: Figures) -> None:
        running = start("--gateway", "in-memory")
        crowd = Crowd(running.url, get("/livez"))
        async with crowd.asking(keep_alive=0, one_shot=100):
            running.process.send_signal(signal.SIGTERM)
            figures.at_most("s to the end", await seconds_to_end(running), 5, timed=True)
        assert not crowd.lost
        assert running.process.returncode == 0

    async def test_twice_ends_at_once(self, start: Run, figures: Figures) -> None:
        async with slow_livekit(4) as settings:
            running = start(DRAIN_TIMEOUT_SECONDS="30", **settings)
            async with Client.connected(running.url) as client:
                waiting = asyncio.create_task(client.ask(MUTE_ALICE))
                await asyncio.sleep(0.2)
                running.process.send_signal(signal.SIGTERM)
                running.wait_for("leaving")
                running.process.send_signal(signal.SIGTERM)
                figures.at_most("s to the end", await seconds_to_end(running), 1, timed=True)
                [left] = await asyncio.gather(waiting, return_exceptions=True)
        assert isinstance(left, OSError | EOFError)
        assert running.process.returncode == 128 + signal.SIGTERM
