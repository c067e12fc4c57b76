"""A room gateway that shows what it was called with."""

from attrs import define, field
from typing_extensions import override

from application.ports.room_gateway import RoomGateway
from domain.room import Room, RoomName
from domain.track import ListedParticipant, Participant, Track, TrackSid


@define
class RecordingGateway(RoomGateway):
    """Records each call and its deadline, and reports another state than the one asked for."""

    calls: list[tuple[str, float]] = field(init=False, factory=list)
    rooms_were_read: list[bool] = field(init=False, factory=list)
    """What each mute was told about its room."""

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        self.calls.append(("get_room", deadline))
        return Room(name=name, owner="tenant-a")

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        self.calls.append(("mute_track", deadline))
        self.rooms_were_read.append(room_was_read)
        return Track(sid=track_sid, muted=not muted)

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        self.calls.append(("list_participants", deadline))
        return ()

    @override
    async def verify_access(self, *, deadline: float) -> None:
        self.calls.append(("verify_access", deadline))
