import asyncio

import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.list_tracks import ListTracks, ListTracksCommand
from application.ports.room_gateway import RoomGatewayRefusedError, RoomGatewayUnavailableError
from application.room_access import RoomAccess
from domain.caller import AnonymousCaller, Caller, IdentifiedCaller, TenantId
from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    ListedParticipant,
    Participant,
    ParticipantIdentity,
    PublishedTrack,
    TrackKind,
    TrackSid,
    TrackSource,
)
from tests.application.recording_gateway import RecordingGateway

TENANT_A = IdentifiedCaller(id=TenantId("tenant-a"))
TENANT_B = IdentifiedCaller(id=TenantId("tenant-b"))
ANONYMOUS = AnonymousCaller()
ROOM, MISSING = RoomName("room"), RoomName("missing")
CAMERA = PublishedTrack(
    sid=TrackSid("TR_1"), muted=True, kind=TrackKind.VIDEO, source=TrackSource.CAMERA
)
LISTED = {
    ListedParticipant(identity=ParticipantIdentity("alice"), tracks=(CAMERA,)),
    ListedParticipant(identity=ParticipantIdentity("bob"), tracks=()),
}


@pytest.fixture
def rooms() -> InMemoryRooms:
    rooms = InMemoryRooms(remote_unmute=True)
    rooms.put_room(ROOM, metadata='{"auth_id": "tenant-a"}')
    for each in LISTED:
        participant = Participant(room=ROOM, identity=each.identity)
        rooms.put_participant(participant)
        for track in each.tracks:
            rooms.put_track(participant, track)
    return rooms


@pytest.fixture
def list_tracks(rooms: InMemoryRooms) -> ListTracks:
    return ListTracks(access=RoomAccess(gateway=InMemoryRoomGateway(rooms), timeout_s=3600))


def command(caller: Caller, room: RoomName = ROOM) -> ListTracksCommand:
    return ListTracksCommand(caller=caller, room=room)


class TestListTracks:
    @pytest.mark.parametrize("caller", [TENANT_A, ANONYMOUS])
    async def test_lists_every_participant_to_a_caller_who_may(
        self, list_tracks: ListTracks, caller: Caller
    ) -> None:
        assert set(await list_tracks.execute(command(caller))) == LISTED

    async def test_tells_a_tenant_nothing_of_rooms_that_are_not_its_own(
        self, list_tracks: ListTracks, rooms: InMemoryRooms
    ) -> None:
        rooms.put_room(RoomName("unowned"))
        cases = {
            RoomNotFoundReason.FOREIGN: command(TENANT_B),
            RoomNotFoundReason.UNOWNED: command(TENANT_B, RoomName("unowned")),
            RoomNotFoundReason.MISSING: command(TENANT_B, MISSING),
        }
        texts = set()
        for reason, asked in cases.items():
            with pytest.raises(RoomNotFoundError) as refusal:
                await list_tracks.execute(asked)
            assert refusal.value.reason is reason
            texts.add(str(refusal.value))
        assert len(texts) == 1

    async def test_reports_a_missing_room_to_an_anonymous_caller(
        self, list_tracks: ListTracks
    ) -> None:
        with pytest.raises(RoomNotFoundError) as refusal:
            await list_tracks.execute(command(ANONYMOUS, MISSING))
        assert refusal.value.reason is RoomNotFoundReason.MISSING

    @pytest.mark.parametrize("caller", [TENANT_A, ANONYMOUS])
    async def test_passes_on_why_nothing_could_be_read(
        self, list_tracks: ListTracks, rooms: InMemoryRooms, caller: Caller
    ) -> None:
        rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        with pytest.raises(RoomGatewayRefusedError):
            await list_tracks.execute(command(caller))

    async def test_asks_for_no_participants_of_a_room_that_is_not_the_callers(self) -> None:
        gateway = RecordingGateway()
        list_tracks = ListTracks(access=RoomAccess(gateway=gateway, timeout_s=3600))
        with pytest.raises(RoomNotFoundError):
            await list_tracks.execute(command(TENANT_B))
        assert [call for call, _ in gateway.calls] == ["get_room"]

    @pytest.mark.parametrize(
        ("caller", "steps"),
        [(TENANT_A, ["get_room", "list_participants"]), (ANONYMOUS, ["list_participants"])],
    )
    async def test_has_one_deadline_for_all_steps(self, caller: Caller, steps: list[str]) -> None:
        gateway = RecordingGateway()
        list_tracks = ListTracks(access=RoomAccess(gateway=gateway, timeout_s=3600))
        before = asyncio.get_running_loop().time()
        await list_tracks.execute(command(caller))
        after = asyncio.get_running_loop().time()
        (deadline,) = {deadline for _, deadline in gateway.calls}
        assert before + 3600 <= deadline <= after + 3600
        assert [step for step, _ in gateway.calls] == steps

    async def test_takes_a_sooner_deadline(self) -> None:
        gateway = RecordingGateway()
        list_tracks = ListTracks(access=RoomAccess(gateway=gateway, timeout_s=3600))
        deadline = asyncio.get_running_loop().time() + 60
        await list_tracks.execute(command(TENANT_A), deadline=deadline)
        assert gateway.calls == [("get_room", deadline), ("list_participants", deadline)]

    async def test_lists_nobody_if_no_time_is_left(self, list_tracks: ListTracks) -> None:
        for caller in (TENANT_A, ANONYMOUS):
            with pytest.raises(RoomGatewayUnavailableError):
                await list_tracks.execute(command(caller), deadline=0)
