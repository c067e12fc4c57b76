"""The room gateway over rooms held in memory."""

import asyncio
import math

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
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        self._fail_if_due(until)
        if name not in self.rooms.metadata:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return Room.from_metadata(name, self.rooms.metadata[name])

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self._fail_if_due(until)
        if participant not in self.rooms.tracks:
            raise ParticipantNotFoundError
        if not muted and not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        track = self.rooms.tracks[participant].get(track_sid)
        if track is None:
            raise TrackNotFoundError
        track = evolve(track, muted=muted)
        self.rooms.put_track(participant, track)
        return track

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        self._fail_if_due(until)

    def _fail_if_due(self, until: float) -> None:
        if asyncio.get_running_loop().time() >= until:
            raise RoomGatewayUnavailableError(reason="no time left")
        if self.rooms.failures:
            raise self.rooms.failures.popleft()
