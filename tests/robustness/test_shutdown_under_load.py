"""A graceful shutdown under load loses no request, and logs each."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.robustness.clients import (
    MUTE_ALICE,
    Client,
    closes,
    get,
    slow_livekit,
)
from tests.robustness.metrics import Length, Metrics
from tests.support.command import TIMEOUT_S, Run, Running
from tests.support.service import Answer
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("SIGTERM under load")

READY = get("/readyz")
GRACE_S = 5


@define
class Load:
    """Clients that send requests until their connections are refused."""

    url: str
    request: bytes = MUTE_ALICE
    answers: list[Answer] = field(factory=list)
    readiness: list[int] = field(factory=list)
    lost: Counter[str] = field(factory=Counter)

    async def _run(self, *, keep_alive: bool) -> None:
        """Send requests, each on a connection of its own or all on one until it closes."""
        connected = True
        while connected:
            connected = False
            try:
                async with Client.connected(self.url) as client:
                    connected = True
                    await self._send(client, keep_alive=keep_alive)
            except (OSError, EOFError) as error:
                if connected:  # or else it was refused, or reset in its handshake
                    self.lost[repr(error)] += 1

    async def _send(self, client: Client, *, keep_alive: bool) -> None:
        stays = True
        while stays:
            answer = await client.request(self.request)
            self.answers.append(answer)
            stays = keep_alive and not closes(answer)
            if stays:
                await asyncio.sleep(0.02)

    async def _probe(self) -> None:
        """Probe readiness, as a load balancer does."""
        with suppress(ConnectionRefusedError):
            while True:
                async with Client.connected(self.url) as client:
                    answer = await client.request(READY)
                self.answers.append(answer)
                self.readiness.append(answer.status)
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self, *, keep_alive: int, one_shot: int) -> AsyncIterator[None]:
        """Run for half a second before the block, and to the end after it."""
        kinds = [True] * keep_alive + [False] * one_shot
        tasks = [asyncio.create_task(self._run(keep_alive=kind)) for kind in kinds]
        tasks.append(asyncio.create_task(self._probe()))
        await asyncio.sleep(0.5)
        try:
            yield
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


async def seconds_to_end(running: Running) -> float:
    began_s = time.perf_counter()
    await asyncio.to_thread(running.process.wait, TIMEOUT_S)
    return time.perf_counter() - began_s


def check_log(running: Running, load: Load) -> None:
    """Check that the log has one event for each response, with its id and its status."""
    logged = Counter(
        (event["request_id"], event["status"])
        for event in running.events
        if event["event"] == "request"
    )
    assert logged == Counter((each.headers["X-Request-ID"], each.status) for each in load.answers)


def audited(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_audit(path: Path, running: Running) -> None:
    """Check that the trail has what the log has of requests whose caller was known."""
    logged = Counter(
        (event["request_id"], event["status"], event["muted"])
        for event in running.events
        if "source" in event
    )
    found = Counter(
        (event["request_id"], event["status"], event["muted"]) for event in audited(path)
    )
    assert found == logged
    assert found


def ends_unready(readiness: list[int]) -> bool:
    """Return whether the service was unready at least once, and never ready after that."""
    return readiness[-1:] == [503] and readiness == sorted(readiness)


class TestShutdown:
    @pytest.mark.parametrize(
        ("delay_s", "drain_s"),
        [(0.02, 300), (HOUR_S, 0.5)],
        ids=["while LiveKit answers", "while LiveKit hangs"],
    )
    async def test_loses_no_request(  # noqa: PLR0913 - fixtures
        self,
        start: Run,
        length: Length,
        metrics: Metrics,
        tmp_path: Path,
        *,
        delay_s: float,
        drain_s: float,
    ) -> None:
        clients, statuses, ended_s = length(short=20, full=100), Counter[int](), 0.0
        lost: Counter[str] = Counter()
        for number in range(length(short=1, full=20)):
            audit_log = tmp_path / f"audit-{number}"
            async with slow_livekit(delay_s) as settings:
                running = start(
                    DRAIN_TIMEOUT_SECONDS=str(drain_s),
                    LOG_LEVEL="debug",
                    AUDIT_LOG=str(audit_log),
                    **settings,
                )
                load = Load(running.url)
                async with load.running(keep_alive=clients, one_shot=clients):
                    running.process.send_signal(signal.SIGTERM)
                    ended_s = max(ended_s, await seconds_to_end(running))
            statuses += load.statuses
            lost += load.lost
            assert running.process.returncode == 0
            assert ends_unready(load.readiness)
            check_log(running, load)
            check_audit(audit_log, running)
        metrics.note("responses", statuses.total())
        metrics.at_most("requests lost", lost.total(), 0)
        metrics.at_most("s to the end", ended_s, min(drain_s, 10) + GRACE_S, timed=True)
        assert not lost
        assert set(statuses) <= {200, 503}
        assert statuses[503] if delay_s > drain_s else statuses[200]

    @pytest.mark.soak
    async def test_is_not_delayed_by_new_connections(self, start: Run, metrics: Metrics) -> None:
        running = start("--gateway", "in-memory")
        load = Load(running.url, get("/livez"))
        async with load.running(keep_alive=0, one_shot=100):
            running.process.send_signal(signal.SIGTERM)
            metrics.at_most("s to the end", await seconds_to_end(running), 5, timed=True)
        assert not load.lost
        assert running.process.returncode == 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_is_immediate_at_the_second_signal(
        self, start: Run, metrics: Metrics, tmp_path: Path, number: signal.Signals
    ) -> None:
        settings = {"DRAIN_TIMEOUT_SECONDS": "300", "AUDIT_LOG": str(tmp_path / "audit")}
        async with muting(start, **settings) as (running, client, mute):
            running.process.send_signal(number)
            running.wait_for("shutting down")
            running.process.send_signal(number)
            metrics.at_most("s to the end", await seconds_to_end(running), 1, timed=True)
            assert (await mute).outcome == (503, "OVERLOADED")
            assert await client.is_closed()
        assert running.process.returncode == 128 + number
        check_audit(tmp_path / "audit", running)
        assert logged_mutes(running) == [(True, None, "OVERLOADED")]

    async def test_logs_a_mute_that_livekit_was_sent_though_its_client_has_gone(
        self, start: Run
    ) -> None:
        for drain_s, signals, status in ((300, 2, 128 + signal.SIGTERM), (0.1, 1, 0)):
            async with muting(start, DRAIN_TIMEOUT_SECONDS=str(drain_s)) as (running, client, mute):
                mute.cancel()
                client.close()
                for _ in range(signals):
                    running.process.send_signal(signal.SIGTERM)
                    running.wait_for("shutting down")
                await seconds_to_end(running)
            assert running.process.returncode == status
            assert logged_mutes(running) == [(True, None, "OVERLOADED")]


Muting = tuple[Running, Client, asyncio.Task[Answer]]


@asynccontextmanager
async def muting(start: Run, **variables: str) -> AsyncIterator[Muting]:
    """Start the service, and send it a mute that LiveKit was sent and does not answer."""
    called = asyncio.Event()
    async with slow_livekit(HOUR_S, called) as settings:
        del settings["AUTH_API_SECRETS_JSON"]  # so that the mute is the first call
        running = start(**settings, **variables)
        async with Client.connected(running.url) as client:
            mute = asyncio.create_task(client.request(MUTE_ALICE))
            await called.wait()
            yield running, client, mute


def logged_mutes(running: Running) -> list[tuple[object, object, object]]:
    return [
        (event["muted_wanted"], event["muted"], event["code"])
        for event in running.events
        if event["event"] == "request"
    ]
