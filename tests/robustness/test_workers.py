"""Workers that are restarted, killed and stopped under load, and what they cost."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import pytest
from attrs import define, field

from benchmarks.service import Measured, measured_service, pss_mb
from tests.entrypoints.workers.processes import (
    connections_of,
    events,
    held,
    kill,
    serve,
    workers_of,
)
from tests.robustness.clients import MUTE_ALICE, Client, request_once, slow_livekit
from tests.robustness.metrics import Length, Metrics
from tests.robustness.test_shutdown_under_load import (
    GRACE_S,
    Load,
    check_log,
    ends_unready,
    seconds_to_end,
)
from tests.support.command import Run, Running
from tests.support.timeouts import wait_until

pytestmark = pytest.mark.robustness("workers")

LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


async def restart(running: Running, number: int) -> None:
    """Restart all workers, and wait until the last one of before has ended."""
    before = set(workers_of(running))
    running.process.send_signal(signal.SIGUSR1)

    def done() -> bool:
        told = len(events(running, "workers restarted"))
        return told == number and before.isdisjoint(workers_of(running))

    await asyncio.to_thread(wait_until, done)


async def wait_until_accepted(running: Running, clients: int) -> None:
    """Wait until workers have a connection of each client: it has noticed the end of others."""

    def accepted() -> bool:
        return sum(connections_of(pid, running.url) for pid in workers_of(running)) == clients

    await asyncio.to_thread(wait_until, accepted)


class TestStart:
    @pytest.mark.soak
    def test_spreads_connections_evenly(self, start: Run) -> None:
        """A busy machine may not wake the other worker within the 1 ms that one gives way."""
        running = serve(start, workers=2)
        with held(running.url, 20):
            found = [connections_of(pid, running.url) for pid in workers_of(running)]
        assert sum(found) == 20
        assert min(found) >= 8


class TestRestart:
    async def test_loses_no_request(self, start: Run, length: Length, metrics: Metrics) -> None:
        clients, restarts = length(short=10, full=50), length(short=2, full=20)
        async with slow_livekit(0.02) as settings:
            running = start(WORKERS="2", LOG_LEVEL="debug", **settings)
            load = Load(running.url)
            async with load.running(keep_alive=clients, one_shot=clients):
                for number in range(1, restarts + 1):
                    await restart(running, number)
                unready = {each.body for each in load.answers if each.status == 503}
                assert not any(b"LiveKit" not in body for body in unready)
                running.process.send_signal(signal.SIGTERM)
                ended_s = await seconds_to_end(running)
        metrics.note("responses over restarts", load.statuses.total())
        metrics.at_most("requests lost over restarts", load.lost.total(), 0)
        metrics.at_most("s to the end", ended_s, 10 + GRACE_S, timed=True)
        assert running.process.returncode == 0
        assert set(load.statuses) <= {200, 503}
        assert load.readiness[-1] == 503
        check_log(running, load)


class TestEnd:
    async def test_loses_no_request(self, start: Run, length: Length, metrics: Metrics) -> None:
        clients = length(short=15, full=100)
        for _ in range(length(short=1, full=20)):
            async with slow_livekit(0.02) as settings:
                running = start(WORKERS="3", LOG_LEVEL="debug", **settings)
                load = Load(running.url)
                async with load.running(keep_alive=clients, one_shot=clients):
                    running.process.send_signal(signal.SIGTERM)
                    ended_s = await seconds_to_end(running)
            metrics.at_most("requests lost at SIGTERM", load.lost.total(), 0)
            metrics.at_most("s to the end", ended_s, 10 + GRACE_S, timed=True)
            assert running.process.returncode == 0
            assert ends_unready(load.readiness)
            check_log(running, load)


@define
class Busy:
    """Clients that always have one request in flight, each on a connection that it keeps."""

    url: str
    answers: int = 0
    lost: Counter[str] = field(factory=Counter)

    async def _run(self) -> None:
        while True:
            try:
                async with Client.connected(self.url) as client:
                    while True:
                        assert (await client.request(MUTE_ALICE)).status == 200
                        self.answers += 1
            except (OSError, EOFError) as error:
                self.lost[type(error).__name__] += 1

    @asynccontextmanager
    async def running(self, clients: int) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._run()) for _ in range(clients)]
        await asyncio.sleep(0.5)
        try:
            yield
            await asyncio.sleep(0.5)
            assert not [task for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class TestKilledWorker:
    async def test_loses_only_what_it_had_in_flight(
        self, start: Run, length: Length, metrics: Metrics
    ) -> None:
        clients, kills = length(short=20, full=32), length(short=2, full=20)
        async with slow_livekit(0.2) as settings:
            running = start(WORKERS="2", **settings)
            busy = Busy(running.url)
            async with busy.running(clients):
                await wait_until_accepted(running, clients)
                for number in range(1, kills + 1):
                    before, seen = busy.lost.total(), len(running.events)
                    pid = workers_of(running)[0]
                    in_flight = connections_of(pid, running.url)
                    kill(pid)
                    began_s = time.perf_counter()
                    assert (await request_once(running.url, LIVE)).status == 200
                    taken_s = time.perf_counter() - began_s
                    metrics.at_most("s until the next is taken", taken_s, 0.1, timed=True)
                    await asyncio.sleep(0.5)
                    await asyncio.to_thread(running.wait_for, "worker ended", after=seen)
                    await wait_until_accepted(running, clients)
                    lost = busy.lost.total() - before
                    metrics.at_most("lost by a kill, beyond those in flight", lost - in_flight, 0)
                    assert len(events(running, "worker ended")) == number
        metrics.note("responses over kills", busy.answers)


class TestCost:
    @pytest.mark.soak
    def test_of_a_request_hardly_grows(
        self, tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        rounds = length(short=1, full=9)
        with ExitStack() as opened:
            one, four = (
                opened.enter_context(measured_service(tmp_path, workers)) for workers in (1, 4)
            )
            pairs = [self._pair(one, four, reverse=bool(number % 2)) for number in range(rounds)]
        ratio = median(more / less for less, more in pairs)
        metrics.at_most("own CPU a request, 4 workers / 1", ratio, 1.15, timed=True)

    def _pair(self, one: Measured, four: Measured, *, reverse: bool) -> tuple[float, float]:
        found = {}
        for each in (four, one) if reverse else (one, four):
            found[each.workers] = each.load(connections=32 * each.workers).used["cpu_us"]
        return found[1], found[4]

    @pytest.mark.soak
    def test_in_memory_is_bounded(self, tmp_path: Path, metrics: Metrics) -> None:
        """Proportional set sizes, after load; the base is a service of one process."""
        sizes = {}
        for workers in (1, 2, 4):
            with measured_service(tmp_path, workers) as each:
                each.load(connections=32 * workers)
                sizes[workers] = sum(pss_mb(each))
        for workers, size in sizes.items():
            metrics.at_most(f"MB of {workers} workers", size, round(sizes[1]) + 30 * workers)
        metrics.at_most("MB of each further worker", (sizes[4] - sizes[2]) / 2, 30)
