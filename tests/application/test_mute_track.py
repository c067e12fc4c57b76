import asyncio
import subprocess
import sys
from textwrap import dedent

import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.mute_track import MuteTrack, MuteTrackCommand
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from application.room_access import RoomAccess
from domain.caller import AnonymousCaller, Caller, IdentifiedCaller, TenantId
from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    PublishedTrack,
    Track,
    TrackNotFoundError,
    TrackSid,
)
from tests.application.recording_gateway import RecordingGateway

TENANT_A = IdentifiedCaller(id=TenantId("tenant-a"))
TENANT_B = IdentifiedCaller(id=TenantId("tenant-b"))
ANONYMOUS = AnonymousCaller()
ALICE = Participant(room=RoomName("room"), identity=ParticipantIdentity("alice"))
SID = TrackSid("TR_mic")


@pytest.fixture
def rooms() -> InMemoryRooms:
    rooms = InMemoryRooms(remote_unmute=True)
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, PublishedTrack(sid=SID, muted=False))
    return rooms


@pytest.fixture
def mute_track(rooms: InMemoryRooms) -> MuteTrack:
    access = RoomAccess(gateway=InMemoryRoomGateway(rooms), timeout_s=3600)
    return MuteTrack(access=access)


def command(
    caller: Caller, *, participant: Participant = ALICE, sid: str = SID, muted: bool = True
) -> MuteTrackCommand:
    return MuteTrackCommand(
        caller=caller, participant=participant, track_sid=TrackSid(sid), muted=muted
    )


class TestMuteTrack:
    @pytest.mark.parametrize("caller", [TENANT_A, ANONYMOUS])
    async def test_mutes_and_unmutes_for_a_caller_who_may(
        self, mute_track: MuteTrack, rooms: InMemoryRooms, caller: Caller
    ) -> None:
        for muted in (True, True, False, False):
            track = await mute_track.execute(command(caller, muted=muted))
            assert track == Track(sid=SID, muted=muted)
            assert rooms.tracks[ALICE][SID].muted is muted

    async def test_changes_nothing_in_the_room_of_another_tenant(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        with pytest.raises(RoomNotFoundError) as refusal:
            await mute_track.execute(command(TENANT_B))
        assert refusal.value.reason is RoomNotFoundReason.FOREIGN
        assert not rooms.tracks[ALICE][SID].muted

    async def test_reports_a_missing_room(self, mute_track: MuteTrack) -> None:
        elsewhere = Participant(room=RoomName("Room"), identity=ALICE.identity)
        with pytest.raises(RoomNotFoundError) as refusal:
            await mute_track.execute(command(TENANT_A, participant=elsewhere))
        assert refusal.value.reason is RoomNotFoundReason.MISSING

    async def test_reports_a_missing_participant(self, mute_track: MuteTrack) -> None:
        bob = Participant(room=ALICE.room, identity=ParticipantIdentity("bob"))
        with pytest.raises(ParticipantNotFoundError):
            await mute_track.execute(command(TENANT_A, participant=bob))

    async def test_reports_a_missing_participant_of_a_missing_room_to_an_anonymous_caller(
        self, mute_track: MuteTrack
    ) -> None:
        elsewhere = Participant(room=RoomName("nowhere"), identity=ALICE.identity)
        with pytest.raises(ParticipantNotFoundError):
            await mute_track.execute(command(ANONYMOUS, participant=elsewhere))

    async def test_reports_a_missing_track(self, mute_track: MuteTrack) -> None:
        with pytest.raises(TrackNotFoundError):
            await mute_track.execute(command(TENANT_A, sid="TR_other"))

    async def test_reports_that_remote_unmute_is_disabled(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        rooms.remote_unmute = False
        with pytest.raises(RemoteUnmuteDisabledError):
            await mute_track.execute(command(TENANT_A, muted=False))

    async def test_mutes_nothing_if_the_owner_could_not_be_read(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        with pytest.raises(RoomGatewayRefusedError):
            await mute_track.execute(command(TENANT_A))
        assert not rooms.tracks[ALICE][SID].muted

    async def test_reports_the_state_of_the_track_and_not_of_the_command(self) -> None:
        mute_track = MuteTrack(access=RoomAccess(gateway=RecordingGateway(), timeout_s=5))
        assert not (await mute_track.execute(command(TENANT_A, muted=True))).muted

    @pytest.mark.parametrize(
        ("caller", "steps"),
        [(TENANT_A, ["get_room", "mute_track"]), (ANONYMOUS, ["mute_track"])],
    )
    async def test_has_one_deadline_for_all_steps(self, caller: Caller, steps: list[str]) -> None:
        gateway = RecordingGateway()
        mute_track = MuteTrack(access=RoomAccess(gateway=gateway, timeout_s=3600))
        before = asyncio.get_running_loop().time()
        await mute_track.execute(command(caller))
        after = asyncio.get_running_loop().time()
        (deadline,) = {deadline for _, deadline in gateway.calls}
        assert before + 3600 <= deadline <= after + 3600
        assert [step for step, _ in gateway.calls] == steps

    async def test_tells_the_gateway_whether_the_room_was_read(self) -> None:
        gateway = RecordingGateway()
        mute_track = MuteTrack(access=RoomAccess(gateway=gateway, timeout_s=3600))
        for caller in (TENANT_A, ANONYMOUS):
            await mute_track.execute(command(caller))
        assert gateway.rooms_were_read == [True, False]

    async def test_takes_a_sooner_deadline(self) -> None:
        gateway = RecordingGateway()
        mute_track = MuteTrack(access=RoomAccess(gateway=gateway, timeout_s=3600))
        deadline = asyncio.get_running_loop().time() + 60
        await mute_track.execute(command(TENANT_A), deadline=deadline)
        assert gateway.calls == [("get_room", deadline), ("mute_track", deadline)]

    async def test_changes_nothing_if_no_time_is_left(
        self, mute_track: MuteTrack, rooms: InMemoryRooms
    ) -> None:
        with pytest.raises(RoomGatewayUnavailableError):
            await mute_track.execute(command(ANONYMOUS), deadline=0)
        assert not rooms.tracks[ALICE][SID].muted

    def test_needs_no_web_server(self) -> None:
        program = """
            import asyncio, sys
            from adapters.in_memory.demo import DEMO, demo_room_gateway
            from application.mute_track import MuteTrack, MuteTrackCommand
            from application.room_access import RoomAccess
            from domain.caller import IdentifiedCaller, parse_tenant_id

            access = RoomAccess(gateway=demo_room_gateway(), timeout_s=60)
            command = MuteTrackCommand(
                caller=IdentifiedCaller(id=parse_tenant_id(DEMO.tenant)),
                participant=DEMO.participant, track_sid=DEMO.track_sid, muted=True,
            )
            print(asyncio.run(MuteTrack(access=access).execute(command)))
            print([name for name in ("aiohttp", "livekit", "entrypoints") if name in sys.modules])
        """
        run = subprocess.run(
            [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True
        )
        assert run.stdout == "Track(sid='TR_demo_mic', muted=True)\n[]\n"
