"""The room gateway over rooms held in memory."""

import asyncio

from attrs import evolve, frozen
from typing_extensions import override

from adapters.in_memory.rooms import InMemoryRooms
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGateway,
    RoomGatewayUnavailableError,
)
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    ListedParticipant,
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)


@frozen
class InMemoryRoomGateway(RoomGateway):
    """Answers at once, in LiveKit's own order: participant, remote unmute, track."""

    rooms: InMemoryRooms

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        self._check(deadline)
        if name not in self.rooms.metadata:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return Room.from_metadata(name, self.rooms.metadata[name])

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
        self._check(deadline)
        if participant not in self.rooms.tracks:
            raise ParticipantNotFoundError
        if not muted and not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        track = self.rooms.tracks[participant].get(track_sid)
        if track is None:
            raise TrackNotFoundError
        self.rooms.put_track(participant, evolve(track, muted=muted))
        return Track(sid=track_sid, muted=muted)

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        await self.get_room(room, deadline=deadline)
        return tuple(
            ListedParticipant(identity=participant.identity, tracks=tuple(tracks.values()))
            for participant, tracks in self.rooms.tracks.items()
            if participant.room == room
        )

    @override
    async def verify_access(self, *, deadline: float) -> None:
        self._check(deadline)

    def _check(self, deadline: float) -> None:
        """Fail where no time is left, or where a failure was arranged."""
        if asyncio.get_running_loop().time() >= deadline:
            raise RoomGatewayUnavailableError(reason="no time left")
        if self.rooms.failures:
            raise self.rooms.failures.popleft()
