"""Two LiveKit nodes: Redis restarts empty, the nodes pause, one is killed, a client freezes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from typing import TypeVar

import pytest
from attrs import evolve, frozen
from livekit.api import (
    CreateRoomRequest,
    DeleteRoomRequest,
    LiveKitAPI,
    MuteRoomTrackRequest,
    ServerError,
)

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.rooms import ALICE, publish
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.metrics import Metrics
from tests.robustness.participant_process import participant_process
from tests.support.livekit_cluster import LiveKitCluster
from tests.support.rooms.real import RealRooms, rooms_on
from tests.support.service import Service, running_service
from tests.support.timeouts import scaled

pytestmark = [
    pytest.mark.robustness("LiveKit cluster"),
    pytest.mark.livekit_cluster,
    pytest.mark.soak,
]

ROOMS, PARTICIPANTS = 4, 3  # in each room
TIMEOUT_S = 5.0
PAUSE_S = 0.5
OK, ABSENT = (200, "OK"), (404, "PARTICIPANT_NOT_FOUND")
UNAVAILABLE = (500, "LIVEKIT_UNAVAILABLE")
Tracks = list[tuple[Participant, TrackSid]]
Outcomes = Counter[tuple[int, str]]
T = TypeVar("T")


@frozen
class Site:
    """A cluster, its rooms, and a service that asks it for anonymous callers."""

    cluster: LiveKitCluster
    api: LiveKitAPI
    rooms: RealRooms
    service: Service
    metrics: Metrics

    async def mute(self, participant: Participant, sid: TrackSid) -> tuple[int, str]:
        begun_s = time.monotonic()
        answer = await self.service.mute(
            room_name=participant.room,
            participant_identity=participant.identity,
            track_sid=sid,
            muted=True,
        )
        late_s = time.monotonic() - begun_s - TIMEOUT_S
        self.metrics.at_most("s past the timeout", late_s, 0.1, timed=True)
        return answer.outcome if answer.status != 200 else OK

    async def mute_all(self, tracks: Tracks) -> Outcomes:
        return Counter(await asyncio.gather(*(self.mute(*track) for track in tracks)))


@pytest.fixture
async def site(
    livekit_cluster: Callable[[bool], LiveKitCluster], metrics: Metrics
) -> AsyncIterator[Site]:
    remote_unmute = False  # plays no part
    cluster = livekit_cluster(remote_unmute)
    service = running_service(
        open_gateway=lambda: open_gateway(
            url=cluster.url,
            api_key=partial(ApiKey, name=cluster.api_key, secret=cluster.api_secret),
            limits=LiveKitLimits(max_connections=64),
        ),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=NO_TIMEOUTS,
        timeout_s=TIMEOUT_S,
    )
    async with (
        rooms_on(cluster) as rooms,
        LiveKitAPI(cluster.url, cluster.api_key, cluster.api_secret) as api,
        service as served,
    ):
        yield Site(cluster, api, rooms, served, metrics)


@pytest.fixture
async def tracks(site: Site) -> Tracks:
    """Muted already, so that no mute gives LiveKit a reason to store its participant again."""
    rooms = [await site.rooms.open() for _ in range(ROOMS)]
    identities = [ParticipantIdentity(f"participant-{number}") for number in range(PARTICIPANTS)]
    tracks = [
        await publish(site.rooms, identity, room) for room in rooms for identity in identities
    ]
    assert await site.mute_all(tracks) == {OK: len(tracks)}
    return tracks


async def until(condition: Callable[[T], object], ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer fulfils a condition, and return it."""
    async with asyncio.timeout(scaled(120)):
        while not condition(answer := await ask()):  # noqa: ASYNC110 - the answer is in another process
            await asyncio.sleep(0.1)
        return answer


async def empty_redis(site: Site, tracks: Tracks) -> None:
    """Restart Redis empty, and wait until the nodes find and reach each other through it again.

    In the second before that a mute takes a second, while GetParticipant already denies everybody.
    """
    await asyncio.to_thread(site.cluster.redis.kill)
    await asyncio.to_thread(site.cluster.redis.start)
    for participant, sid in tracks:
        request = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=sid, muted=True
        )
        await site.api.room.mute_published_track(request)
    for node in (site.cluster.room_node, site.cluster.service_node):
        await until(bool, partial(asyncio.to_thread, node.is_registered))


async def delete_room(site: Site, room: RoomName) -> bool:
    """Delete a room whose node was killed, once the others have noticed that after 5 s.

    DeleteRoom alone is sent to the node that was killed; CreateRoom chooses another node.
    """
    try:
        await site.api.room.create_room(CreateRoomRequest(name=room))
        await site.api.room.delete_room(DeleteRoomRequest(room=room))
    except ServerError:
        return False
    return True


class TestRedisRestartedEmpty:
    async def test_hides_nobody_who_is_there(self, site: Site, tracks: Tracks) -> None:
        await empty_redis(site, tracks)
        for _ in range(20):
            assert await site.mute_all(tracks) == {OK: len(tracks)}

    async def test_hides_nobody_who_is_there_in_a_pause_of_livekit(
        self, site: Site, tracks: Tracks
    ) -> None:
        await empty_redis(site, tracks)
        for _ in range(5):
            with site.cluster.room_node.stopped(), site.cluster.service_node.stopped():
                muting = asyncio.create_task(site.mute_all(tracks))
                await asyncio.sleep(PAUSE_S)
            assert await muting == {OK: len(tracks)}

    async def test_delays_no_404(self, site: Site, tracks: Tracks) -> None:
        await empty_redis(site, tracks)
        absent = [(evolve(who, identity=ParticipantIdentity("absent")), sid) for who, sid in tracks]
        for track in absent:
            begun_s = time.monotonic()
            assert await site.mute(*track) == ABSENT
            site.metrics.at_most("s to a 404", time.monotonic() - begun_s, 0.25, timed=True)


class TestNodeKilled:
    async def test_is_an_outage_until_its_rooms_are_deleted(
        self, site: Site, tracks: Tracks
    ) -> None:
        """LiveKit goes on listing the rooms of a node that was killed, and their participants."""
        await asyncio.to_thread(site.cluster.room_node.kill)
        try:
            assert await site.mute_all(tracks) == {UNAVAILABLE: len(tracks)}
            for room in {participant.room for participant, _ in tracks}:
                await until(bool, partial(delete_room, site, room))
            assert await site.mute_all(tracks) == {ABSENT: len(tracks)}
        finally:
            await asyncio.to_thread(site.cluster.room_node.start)
        assert await site.mute(*await publish(site.rooms, ALICE)) == OK


class TestFrozenClient:
    async def test_receives_a_mute_when_it_continues(self, site: Site) -> None:
        alice = Participant(room=await site.rooms.open(), identity=ALICE)
        async with participant_process(site.cluster.room_node, alice) as client:
            (sid,) = await client.tracks()
            with client.frozen():
                assert await site.mute(alice, sid) == OK
            await until(lambda got: got[sid], client.tracks)

    async def test_loses_a_mute_if_it_has_to_join_again(self, site: Site) -> None:
        alice = Participant(room=await site.rooms.open(), identity=ALICE)
        async with participant_process(site.cluster.room_node, alice) as client:
            (old,) = await client.tracks()
            with client.frozen():
                assert await site.mute(alice, old) == OK
                later = await until(lambda got: got != OK, lambda: site.mute(alice, old))
                assert later == ABSENT
            tracks = await until(lambda got: got and old not in got, client.tracks)
            assert list(tracks.values()) == [False]
            assert await site.mute(alice, old) == (404, "TRACK_NOT_FOUND")
            (new,) = tracks
            assert await site.mute(alice, new) == OK
            await until(lambda got: got[new], client.tracks)
