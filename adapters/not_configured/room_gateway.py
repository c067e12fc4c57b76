"""The room gateway while settings of LiveKit are missing."""

from typing import NoReturn

from attrs import frozen
from typing_extensions import override

from application.ports.room_gateway import RoomGateway, RoomGatewayNotConfiguredError
from domain.room import Room, RoomName
from domain.track import ListedParticipant, Participant, Track, TrackSid


@frozen(kw_only=True)
class NotConfiguredRoomGateway(RoomGateway):
    """Fails every call with an error that names the missing settings."""

    missing: tuple[str, ...]

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        self._fail()

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
        self._fail()

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        self._fail()

    @override
    async def verify_access(self, *, deadline: float) -> None:
        self._fail()

    def _fail(self) -> NoReturn:
        raise RoomGatewayNotConfiguredError(missing=self.missing)
