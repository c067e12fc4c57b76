import asyncio
import math
import subprocess
import sys
from textwrap import dedent

import pytest
from attrs import define, field
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.mute_track import MuteTrack, MuteTrackCommand
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGateway,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.caller import Caller, IdentifiedCaller, TenantId, UnidentifiedCaller
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)

TENANT_A = IdentifiedCaller(id=TenantId("tenant-a"))
TENANT_B = IdentifiedCaller(id=TenantId("tenant-b"))
NOBODY = UnidentifiedCaller()
ALICE = Participant(room=RoomName("room"), identity=ParticipantIdentity("alice"))
SID = TrackSid("TR_mic")


@pytest.fixture
def rooms() -> InMemoryRooms:
    rooms = InMemoryRooms(remote_unmute=True)
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, Track(sid=SID, muted=False))
    return rooms


@pytest.fixture
def mute_track(rooms: InMemoryRooms) -> MuteTrack:
    return MuteTrack(gateway=InMemoryRoomGateway(rooms), deadline_s=5)


def command(
    caller: Caller, *, participant: Participant = ALICE, sid: str = SID, muted: bool = True
) -> MuteTrackCommand:
    return MuteTrackCommand(
        caller=caller, participant=participant, track_sid=TrackSid(sid), muted=muted
    )


@define
class AttentiveGateway(RoomGateway):
    """Notes which calls were made and until when they are waited for, and reports another state."""

    calls: list[tuple[str, float]] = field(init=False, factory=list)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        self.calls.append(("get_room", until))
        return Room(name=name, owner="tenant-a")

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self.calls.append(("mute_track", until))
        return Track(sid=track_sid, muted=not muted)

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        raise NotImplementedError


class TestMuteTrack:
    @pytest.mark.parametrize("caller", [TENANT_A, NOBODY])
    async def test_mutes_and_unmutes_for_whoever_may(
        self, mute_track: MuteTrack, rooms: InMemoryRooms, caller: Caller
    ) -> None:
        for muted in (True, True, False, False):
            track = await mute_track.execute(command(caller, muted=muted))
            assert track == rooms.tracks[ALICE][SID] == Track(sid=SID, muted=muted)

    async def test_touches_nothing_in_the_room_of_another(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        with pytest.raises(RoomNotFoundError) as refusal:
            await mute_track.execute(command(TENANT_B))
        assert refusal.value.reason is RoomNotFoundReason.FOREIGN
        assert not rooms.tracks[ALICE][SID].muted

    async def test_tells_of_a_missing_room(self, mute_track: MuteTrack) -> None:
        elsewhere = Participant(room=RoomName("Room"), identity=ALICE.identity)
        with pytest.raises(RoomNotFoundError) as refusal:
            await mute_track.execute(command(TENANT_A, participant=elsewhere))
        assert refusal.value.reason is RoomNotFoundReason.MISSING

    async def test_does_not_look_for_the_room_of_a_caller_without_an_id(
        self, mute_track: MuteTrack
    ) -> None:
        elsewhere = Participant(room=RoomName("nowhere"), identity=ALICE.identity)
        with pytest.raises(ParticipantNotFoundError):
            await mute_track.execute(command(NOBODY, participant=elsewhere))

    async def test_tells_of_a_missing_participant(self, mute_track: MuteTrack) -> None:
        bob = Participant(room=ALICE.room, identity=ParticipantIdentity("bob"))
        with pytest.raises(ParticipantNotFoundError):
            await mute_track.execute(command(TENANT_A, participant=bob))

    async def test_tells_of_a_missing_track(self, mute_track: MuteTrack) -> None:
        with pytest.raises(TrackNotFoundError):
            await mute_track.execute(command(TENANT_A, sid="TR_other"))

    async def test_passes_on_that_unmuting_is_off(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        rooms.remote_unmute = False
        with pytest.raises(RemoteUnmuteDisabledError):
            await mute_track.execute(command(TENANT_A, muted=False))

    async def test_mutes_nothing_where_the_owner_could_not_be_read(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        with pytest.raises(RoomGatewayRefusedError):
            await mute_track.execute(command(TENANT_A))
        assert not rooms.tracks[ALICE][SID].muted

    async def test_reports_what_is_so_and_not_what_was_wished(self) -> None:
        mute_track = MuteTrack(gateway=AttentiveGateway(), deadline_s=5)
        assert not (await mute_track.execute(command(TENANT_A, muted=True))).muted

    @pytest.mark.parametrize("caller", [TENANT_A, NOBODY])
    async def test_has_one_deadline_over_all_steps(self, caller: Caller) -> None:
        gateway = AttentiveGateway()
        before = asyncio.get_running_loop().time()
        await MuteTrack(gateway=gateway, deadline_s=3600).execute(command(caller))
        after = asyncio.get_running_loop().time()
        (until,) = {until for _, until in gateway.calls}
        assert before + 3600 <= until <= after + 3600
        steps = ["get_room", "mute_track"] if caller is TENANT_A else ["mute_track"]
        assert [step for step, _ in gateway.calls] == steps

    async def test_may_be_given_less_time(self) -> None:
        gateway = AttentiveGateway()
        until = asyncio.get_running_loop().time() + 60
        await MuteTrack(gateway=gateway, deadline_s=3600).execute(command(TENANT_A), until=until)
        assert gateway.calls == [("get_room", until), ("mute_track", until)]

    async def test_changes_nothing_where_no_time_is_left(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        with pytest.raises(RoomGatewayUnavailableError):
            await mute_track.execute(command(NOBODY), until=0)
        assert not rooms.tracks[ALICE][SID].muted

    def test_needs_no_web_server(self) -> None:
        program = """
            import asyncio, sys
            from adapters.in_memory.demo import DEMO, demo_room_gateway
            from application.mute_track import MuteTrack, MuteTrackCommand
            from domain.caller import IdentifiedCaller, tenant_id

            mute_track = MuteTrack(gateway=demo_room_gateway(), deadline_s=5)
            wish = MuteTrackCommand(
                caller=IdentifiedCaller(id=tenant_id(DEMO.tenant)),
                participant=DEMO.participant, track_sid=DEMO.track_sid, muted=True,
            )
            print(asyncio.run(mute_track.execute(wish)))
            print([name for name in ("aiohttp", "livekit", "entrypoints") if name in sys.modules])
        """
        run = subprocess.run(
            [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True
        )
        assert run.stdout == "Track(sid='TR_demo_mic', muted=True)\n[]\n"
