"""Callers of a cluster: what the proxy makes of two replicas and two LiveKit nodes."""

import asyncio
import json
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from attrs import define, field, frozen

from contract.rooms import ALICE, NO_TRACK, publish
from domain.room import RoomName
from domain.track import Participant, TrackSid
from tests.cluster.cluster import Cluster, run_cluster
from tests.documentation.pages import block
from tests.entrypoints.test_metrics import get, value
from tests.robustness.clients import LONGEST_TIMEOUTS
from tests.support.command import paste
from tests.support.imports import PROJECT
from tests.support.livekit_cluster import LiveKitCluster
from tests.support.rooms.real import rooms_on
from tests.support.service import MUTE
from tests.support.timeouts import scaled

pytestmark = [pytest.mark.livekit_cluster, pytest.mark.nginx]

OWNED = '{"auth_id": "tenant-a"}'
QUOTA = 20
CLIENTS = 16
BINARIES = ("livekit-server", "redis-server")
UNKNOWN = 'livekit_mute_rate_unknown_requests_total{cause="%s"}'


@pytest.fixture
def livekit(livekit_cluster: Callable[[bool], LiveKitCluster]) -> LiveKitCluster:
    remote_unmute = True
    return livekit_cluster(remote_unmute)


@pytest.fixture
def cluster(livekit: LiveKitCluster, tmp_path: Path) -> Iterator[Cluster]:
    with run_cluster(livekit, tmp_path, **LONGEST_TIMEOUTS) as cluster:
        yield cluster


@pytest.fixture
def limited(livekit: LiveKitCluster, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose tenants have a rate."""
    rate = {
        "RATE_LIMIT_PER_TENANT": f"{QUOTA}/hour",
        "RATE_LIMIT_STORAGE_URL": f"{livekit.redis.url}/1",
    }
    with run_cluster(livekit, tmp_path, **LONGEST_TIMEOUTS, **rate) as cluster:
        yield cluster


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer demo-secret-a"}) as session:
        yield session


@frozen
class Microphone:
    """A published track, and the session of a caller who mutes it."""

    who: Participant
    sid: TrackSid
    session: aiohttp.ClientSession = field(repr=False)

    async def mute(self, url: str, *, muted: bool = True) -> tuple[int, bytes]:
        body = {
            "room_name": self.who.room,
            "participant_identity": self.who.identity,
            "track_sid": self.sid,
            "muted": muted,
        }
        async with self.session.post(url + MUTE, json=body) as answer:
            return answer.status, await answer.read()


def served(cluster: Cluster) -> list[int]:
    """Return how many mutes each replica has answered with success."""
    logs = [each.running.events for each in cluster.replicas]
    return [sum((e["event"], e.get("status")) == ("request", 200) for e in log) for log in logs]


class TestProxy:
    async def test_reaches_participants_on_either_node_by_either_replica(
        self, cluster: Cluster, session: aiohttp.ClientSession
    ) -> None:
        for number, node in enumerate(cluster.nodes, 1):
            async with rooms_on(node) as rooms:
                who, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED))
                microphone = Microphone(who, sid, session)
                for muted in (True, False, True):
                    for _ in range(4):
                        status, body = await microphone.mute(cluster.proxy.url, muted=muted)
                        assert (status, json.loads(body)["muted"]) == (200, muted)
                    assert await rooms.is_muted(who, sid) is muted
            assert min(served(cluster)) >= 4 * number

    async def test_passes_errors_on_unchanged(
        self, cluster: Cluster, session: aiohttp.ClientSession
    ) -> None:
        missing = Microphone(
            Participant(room=RoomName("no-such-room"), identity=ALICE), NO_TRACK, session
        )
        for url in (cluster.proxy.url, *(each.url for each in cluster.replicas)):
            status, body = await missing.mute(url)
            assert (status, json.loads(body)["code"]) == (404, "ROOM_NOT_FOUND")


@define
class Clients:
    """Clients that always have one request in flight; a failed one counts for its client."""

    microphone: Microphone
    url: str
    failed: Counter[int] = field(init=False, factory=Counter)
    answers: int = field(init=False, default=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._run(number)) for number in range(CLIENTS)]
        try:
            await self.some_more()
            yield
            await self.some_more()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []

    async def some_more(self) -> None:
        """Wait until each client has had some answers more."""
        enough = self.answers + 5 * CLIENTS
        async with asyncio.timeout(scaled(60)):
            while self.answers < enough:  # noqa: ASYNC110 - the answers are another process's
                await asyncio.sleep(0.01)

    async def _run(self, number: int) -> None:
        while True:
            status, _ = await self.microphone.mute(self.url)
            self.failed[number] += status != 200
            self.answers += 1


class TestKilledReplica:
    async def test_loses_at_most_what_it_had_in_flight(
        self, cluster: Cluster, session: aiohttp.ClientSession
    ) -> None:
        async with rooms_on(cluster.nodes[0]) as rooms:
            who, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED))
            microphone = Microphone(who, sid, session)
            for replica in cluster.replicas:
                clients = Clients(microphone, cluster.proxy.url)
                async with clients.running():
                    replica.kill()
                    assert (await microphone.mute(cluster.proxy.url))[0] == 200
                    await clients.some_more()
                    await asyncio.to_thread(replica.start)
                assert max(clients.failed.values()) <= 1


class TestRate:
    async def test_holds_across_both_replicas(
        self, limited: Cluster, session: aiohttp.ClientSession
    ) -> None:
        async with rooms_on(limited.nodes[0]) as rooms:
            who, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED))
            microphone = Microphone(who, sid, session)
            answers = [await microphone.mute(limited.proxy.url) for _ in range(3 * QUOTA)]
        statuses = Counter(status for status, _ in answers)
        pages = [get(each.url, "/metrics")[1] for each in limited.replicas]
        causes = ("slow", "failed")
        unknown = sum(value(page, UNKNOWN % each) for page in pages for each in causes)
        assert QUOTA <= statuses[200] <= QUOTA + unknown
        assert statuses[429] == 3 * QUOTA - statuses[200]
        assert min(served(limited)) > 0


def descendants(pid: int) -> dict[int, str]:
    """Return all processes that a process started, directly or not, with their names."""
    found: dict[int, str] = {}
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found |= {child: Path(f"/proc/{child}/comm").read_text().strip(), **descendants(child)}
    return found


def still_running(processes: dict[int, str]) -> dict[int, str]:
    return {pid: name for pid, name in processes.items() if Path(f"/proc/{pid}").exists()}


class TestProgram:
    async def test_prints_curls_that_mute_and_ends_all_that_it_started(
        self, pytestconfig: pytest.Config
    ) -> None:
        _, target = block("docs/cluster.md", "sh", containing="make cluster").split()
        makefile = (PROJECT / "Makefile").read_text()
        found = re.search(
            rf"^{target}:.*\n\t@\$\(DEV\)/bin/python -m (\S+) ", makefile, re.MULTILINE
        )
        assert found
        options = [f"--{name}={pytestconfig.getoption(f'--{name}')}" for name in BINARIES]
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", found[1], *options),
            cwd=PROJECT,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert program.stdout
        try:
            text = (await program.stdout.readuntil(b"Ctrl-C ends all of it.\n")).decode()
            answers = [await paste(line) for line in re.findall("^curl .*", text, re.MULTILINE)]
            started = descendants(program.pid)
        finally:
            os.killpg(program.pid, signal.SIGINT)  # as a terminal does
            await program.wait()
        assert [(status, body["muted"]) for status, body in answers] == [(200, True)] * 2
        names = Counter(started.values())
        assert (names["redis-server"], names["nginx"], len(started)) == (1, 6, 13)
        assert program.returncode == 0
        assert still_running(started) == {}
