"""A whole cluster under load, whose nodes and replicas are killed, and whose Redis restarts."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from random import Random

import aiohttp
import pytest
from attrs import define, field
from livekit.api import ServerError

from contract.rooms import ALICE
from domain.track import Participant, TrackSid
from tests.cluster.cluster import Cluster, run_cluster
from tests.robustness.metrics import Length, Metrics
from tests.robustness.participant_process import (
    ParticipantEndedError,
    ParticipantProcess,
    participant_process,
)
from tests.support.livekit_cluster import ClusterNode, run_livekit_cluster
from tests.support.redis_server import RedisServer
from tests.support.replica import Replica
from tests.support.rooms.real import rooms_on
from tests.support.service import MUTE
from tests.support.timeouts import scaled

pytestmark = [
    pytest.mark.robustness("cluster under faults"),
    pytest.mark.livekit_cluster,
    pytest.mark.nginx,
    pytest.mark.soak,
]

CALLERS = 4  # for each node, each with a track of its own
SHOWN_S = 10.0
AWAY_S = 3.0
EXPECTED = (200, 404, 500, 503)
CANNOT_PUBLISH = (ServerError, aiohttp.ClientError, TimeoutError, ParticipantEndedError)


@pytest.fixture
def cluster(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of its own, whose Redis keeps its records, and whose tenants have a rate."""
    livekit, redis = map(pytestconfig.getoption, ("--livekit-server", "--redis-server"))
    with run_livekit_cluster(livekit, redis, remote_unmute=True, redis_folder=tmp_path) as nodes:
        rate = {
            "RATE_LIMIT_PER_TENANT": "100000/second",
            "RATE_LIMIT_STORAGE_URL": f"{nodes.redis.url}/1",
        }
        with run_cluster(nodes, tmp_path, **rate) as cluster:
            yield cluster


@define(eq=False)
class Part:
    """A node, a replica or Redis, which is killed and started again."""

    process: ClusterNode | Replica | RedisServer
    kills: int = field(init=False, default=0)
    is_dead: bool = field(init=False, default=False)
    """Whether it has ended and is not being started yet."""
    is_away: bool = field(init=False, default=False)
    """Whether it is being killed, dead or being started."""

    async def kill_and_start(self, away_s: float) -> None:
        self.kills += 1
        self.is_away = True
        await asyncio.to_thread(self.process.kill)
        self.is_dead = True
        await asyncio.sleep(away_s)
        self.is_dead = False
        await asyncio.to_thread(self.process.start)
        self.is_away = False


@define
class Published:
    """A track on a node, as its own client knows it."""

    part: Part
    who: Participant
    sid: TrackSid
    client: ParticipantProcess
    kills: int
    """How often the node had been killed before the track was published."""

    async def muted(self) -> bool | None:
        """Return whether it is muted; None if its node was killed, or its client joins anew."""
        known = await self.client.muted(self.sid)
        return known if self.part.kills == self.kills else None

    async def becomes(self, muted: bool) -> bool:
        """Wait until its client knows that; return False if it does not learn it."""
        end_s = time.monotonic() + scaled(SHOWN_S)
        while await self.muted() not in (muted, None):
            if time.monotonic() > end_s:
                return False
        return True


@define
class Load:
    """Callers who compare each answer with what the track's own client knows."""

    url: str
    session: aiohttp.ClientSession
    answers: Counter[str] = field(init=False, factory=Counter)
    false: list[str] = field(init=False, factory=list)
    tracks: dict[str, Published] = field(init=False, factory=dict)
    """The newest track of each caller."""
    last_ok_s: dict[str, float] = field(init=False, factory=dict)
    """When each caller sent the last request that was answered 200."""

    @asynccontextmanager
    async def running(self, nodes: Sequence[Part]) -> AsyncIterator[None]:
        """Run the callers, and wait at first until each has had a 200."""
        names = {
            f"{n} on node {number}": part
            for number, part in enumerate(nodes)
            for n in range(CALLERS)
        }
        self.last_ok_s = dict.fromkeys(names, 0.0)
        callers = [self._own_tracks(name, part) for name, part in names.items()]
        tasks = [asyncio.create_task(each) for each in (*callers, self._tracks_of_others())]
        try:
            await self.all_answered()
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []

    async def all_answered(self) -> None:
        """Wait until each caller has had a 200 for a request sent from now on."""
        now_s = time.monotonic()
        async with asyncio.timeout(scaled(120)):
            while min(self.last_ok_s.values()) < now_s:  # noqa: ASYNC110 - another process answers
                await asyncio.sleep(0.01)

    async def _ask(self, track: Published, *, muted: bool, tenant: str) -> str:
        """Return the code of an answer, and add those that are false whoever asks."""
        body = {
            "room_name": track.who.room,
            "participant_identity": track.who.identity,
            "track_sid": track.sid,
            "muted": muted,
        }
        headers = {"Authorization": f"Bearer demo-secret-{tenant}"}
        async with self.session.post(self.url + MUTE, json=body, headers=headers) as answer:
            answered = await answer.json()
        code = str(answered.get("code", "OK"))
        self.answers[f"{answer.status} {code}"] += 1
        if answer.status not in EXPECTED or (answer.status == HTTPStatus.OK and answered != body):
            self.false.append(f"{answer.status} {answered}")
        return code

    async def _tracks_of_others(self) -> None:
        while True:
            for track in [*self.tracks.values()]:
                code = await self._ask(track, muted=True, tenant="b")
                if code not in {"ROOM_NOT_FOUND", "LIVEKIT_UNAVAILABLE", "OVERLOADED"}:
                    self.false.append(f"{code} for another tenant's room")
            await asyncio.sleep(0.01)

    async def _own_tracks(self, name: str, part: Part) -> None:
        """Mute and unmute a track on a node, and a new one after each kill of it."""
        assert isinstance(part.process, ClusterNode)
        while True:
            kills = part.kills
            with suppress(*CANNOT_PUBLISH):
                async with rooms_on(part.process) as rooms:
                    room = await rooms.open(metadata='{"auth_id": "tenant-a"}')
                who = Participant(room=room, identity=ALICE)
                async with participant_process(part.process, who) as client:
                    (sid,) = await client.tracks()
                    track = self.tracks[name] = Published(part, who, sid, client, kills)
                    await self._alternate(name, track)
                    await self._ask_while_dead(track)
            await asyncio.sleep(0.1)

    async def _alternate(self, name: str, track: Published) -> None:
        muted = True
        while await track.muted() is not None:
            begun_s = time.monotonic()
            code = await self._ask(track, muted=muted, tenant="a")
            if code == "OK":
                if not await track.becomes(muted):
                    self.false.append(f"OK, but not {muted=}")
                self.last_ok_s[name] = begun_s
                muted = not muted
                await track.client.has_been_answered()  # docs/livekit.md: clients repeat mutes
            elif code.endswith("_NOT_FOUND") and await track.muted() is not None:
                self.false.append(f"{code}, but the track is there")

    async def _ask_while_dead(self, track: Published) -> None:
        while track.part.is_away:
            if track.part.is_dead:
                code = await self._ask(track, muted=True, tenant="a")
                if code == "OK" or (track.part.is_dead and code.endswith("_NOT_FOUND")):
                    self.false.append(f"{code} for the track of a node that was killed")
            await asyncio.sleep(0.01)


class TestFaults:
    async def test_get_true_answers_and_end(
        self, cluster: Cluster, length: Length, metrics: Metrics
    ) -> None:
        random = Random(seed := time.time_ns() % 1_000_000)  # noqa: S311 - no secret
        nodes = [Part(each) for each in cluster.nodes]
        parts = [*nodes, *map(Part, cluster.replicas), Part(cluster.livekit.redis)]
        faults = [random.choice(parts) for _ in range(length(short=1, full=12))]
        async with aiohttp.ClientSession() as session:
            load = Load(cluster.proxy.url, session)
            async with load.running(nodes):
                for part in faults:
                    await part.kill_and_start(random.uniform(0, AWAY_S))
                    begun_s = time.monotonic()
                    await load.all_answered()
                    again_s = time.monotonic() - begun_s
                    metrics.at_most("s until all are muted again", again_s, 30, timed=True)
        metrics.note("faults", len(faults))
        for answer, number in load.answers.items():
            metrics.note(f"answers {answer}", number)
        assert load.false == [], f"seed {seed}"
