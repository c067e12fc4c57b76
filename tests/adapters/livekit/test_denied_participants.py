"""What two LiveKit nodes with Redis say wrongly about participants, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from attrs import frozen
from livekit.api import (
    LiveKitAPI,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    ServerError,
    ServerErrorCode,
)

from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from contract.rooms import ALICE, NO_TRACK, publish
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid
from tests.adapters.livekit.livekit_servers import HOUR_S, within
from tests.support.livekit_cluster import LiveKitCluster, run_livekit_cluster
from tests.support.rooms.real import rooms_on

pytestmark = pytest.mark.livekit_cluster

MUTES = 30
PAUSE_S = 0.5
BEFORE_LIVEKIT_GIVES_UP_S = 2.5
PSRPC = {"api": {"enable_psrpc_for_get_list_participants": True}}
WITHOUT_PSRPC = ((1, 9, 11),)
"""The versions that do not have this option."""
SERVERS = ("--livekit-server", "--redis-server")
OK = "ok"


@frozen
class Site:
    """A gateway to a cluster, and the client to ask the cluster without it."""

    gateway: LiveKitRoomGateway
    api: LiveKitAPI

    async def mute(
        self,
        participant: Participant,
        sid: TrackSid,
        *,
        room_was_read: bool,
        within_s: float = HOUR_S,
    ) -> str:
        """Mute, and return what comes of it."""
        mute = self.gateway.mute_track(
            participant, sid, muted=True, room_was_read=room_was_read, deadline=within(within_s)
        )
        (outcome,) = await asyncio.gather(mute, return_exceptions=True)
        return type(outcome).__name__

    async def ask_to_mute(self, participant: Participant, sid: TrackSid) -> str:
        request = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=sid, muted=True
        )
        return await code_of(self.api.room.mute_published_track(request))

    async def ask_for(self, participant: Participant) -> str:
        request = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        return await code_of(self.api.room.get_participant(request))


async def code_of(call: Awaitable[object]) -> str:
    try:
        await call
    except ServerError as error:
        return error.code
    return OK


@asynccontextmanager
async def site_of(cluster: LiveKitCluster) -> AsyncIterator[Site]:
    key = ApiKey(name=cluster.api_key, secret=cluster.api_secret)
    async with (
        open_gateway(url=cluster.url, api_key=lambda: key, limits=LiveKitLimits()) as gateway,
        LiveKitAPI(cluster.url, key.name, key.secret, failover=False) as api,
    ):
        yield Site(gateway, api)


class TestDenials:
    async def test_by_mutes_where_names_meet_are_not_believed(
        self, livekit_cluster: Callable[..., LiveKitCluster]
    ) -> None:
        """LiveKit joins room and identity by an underscore; the two here are on different nodes."""
        cluster, name = livekit_cluster(remote_unmute=True), uuid4().hex
        async with (
            site_of(cluster) as site,
            rooms_on(cluster.room_node) as here,
            rooms_on(cluster.service_node) as there,
        ):
            room, twins_room = RoomName(f"{name}_a"), RoomName(f"{name}_a_b")
            alice, sid = await publish(here, ParticipantIdentity("b_c"), await here.open(room))
            twin, twins_sid = await publish(
                there, ParticipantIdentity("c"), await there.open(twins_room)
            )
            while await site.ask_to_mute(alice, sid) != ServerErrorCode.NOT_FOUND:
                pass
            assert await site.ask_for(alice) == OK
            outcomes = Counter(
                [
                    await site.mute(participant, its_sid, room_was_read=number % 2 == 0)
                    for number in range(MUTES)
                    for participant, its_sid in ((alice, sid), (twin, twins_sid))
                ]
            )
            assert set(outcomes) <= {"Track", "RoomGatewayUnavailableError"}
            assert outcomes["Track"] > MUTES / 2
            absent = Participant(room=RoomName(name), identity=ParticipantIdentity("a_b_c"))
            for read in (False, True):
                assert await site.ask_to_mute(absent, sid) == ServerErrorCode.NOT_FOUND
                outcome = await site.mute(absent, sid, room_was_read=read)
                assert outcome == "ParticipantNotFoundError"
                await here.open(absent.room)

    async def test_by_psrpc_in_a_missing_room_do_not_take_three_seconds(
        self, livekit_cluster: Callable[..., LiveKitCluster]
    ) -> None:
        cluster, answer = livekit_cluster(remote_unmute=True), ServerErrorCode.NOT_FOUND
        if cluster.version not in WITHOUT_PSRPC:
            cluster = livekit_cluster(remote_unmute=True, sections=PSRPC)
            answer = ServerErrorCode.UNAVAILABLE
        async with site_of(cluster) as site, rooms_on(cluster) as rooms:
            alice, sid = await publish(rooms, ALICE)
            missing = Participant(room=RoomName(f"{alice.room}-missing"), identity=ALICE)
            absent = Participant(room=alice.room, identity=ParticipantIdentity("absent"))
            assert await site.ask_for(missing) == answer
            mute = partial(site.mute, within_s=BEFORE_LIVEKIT_GIVES_UP_S)
            assert await mute(missing, sid, room_was_read=False) == "ParticipantNotFoundError"
            for read in (True, False):
                assert await mute(absent, sid, room_was_read=read) == "ParticipantNotFoundError"
                assert await mute(alice, sid, room_was_read=read) == "Track"

    @pytest.mark.soak
    async def test_by_lookups_are_not_believed_beside_a_paused_livekit(
        self, pytestconfig: pytest.Config
    ) -> None:
        """Redis has restarted empty, and both nodes pause for a while.

        On a busy machine a mute may take longer than it is given after the pause.
        """
        livekit, redis = (Path(pytestconfig.getoption(name)) for name in SERVERS)
        with run_livekit_cluster(livekit, redis, remote_unmute=True) as cluster:
            async with site_of(cluster) as site, rooms_on(cluster) as rooms:
                tracks = [await publish(rooms, ALICE) for _ in range(6)]
                outcomes = Counter[str]()
                for read in (True, False):
                    cluster.redis.kill()
                    cluster.redis.start()
                    for alice, _ in tracks:  # until the nodes reach each other again
                        while await site.ask_to_mute(alice, NO_TRACK) != OK:
                            pass
                    answers = [await site.ask_for(alice) for alice, _ in tracks]
                    assert ServerErrorCode.NOT_FOUND in answers
                    with ExitStack() as pausing:
                        for node in (cluster.room_node, cluster.service_node):
                            pausing.enter_context(node.stopped())
                        mutes = [
                            asyncio.create_task(site.mute(*track, room_was_read=read))
                            for track in tracks
                        ]
                        await asyncio.sleep(PAUSE_S)
                    outcomes.update(await asyncio.gather(*mutes))
                assert outcomes["Track"] >= 10
