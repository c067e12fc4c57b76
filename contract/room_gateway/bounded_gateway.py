"""A gateway whose calls fail once they are late."""

import asyncio
from contextlib import AbstractAsyncContextManager

from attrs import frozen
from typing_extensions import override

from application.ports.room_gateway import RoomGateway
from contract.room_gateway.event_loop import GRACE_S, fails_at
from domain.room import Room, RoomName
from domain.track import ListedParticipant, Participant, Track, TrackSid


@frozen
class BoundedGateway(RoomGateway):
    """Passes every call on, and has it fail if it has not ended soon after its deadline."""

    _gateway: RoomGateway

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        async with _bounded("get_room", deadline):
            return await self._gateway.get_room(name, deadline=deadline)

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
        async with _bounded("mute_track", deadline):
            return await self._gateway.mute_track(
                participant,
                track_sid,
                muted=muted,
                room_was_read=room_was_read,
                deadline=deadline,
            )

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        async with _bounded("list_participants", deadline):
            return await self._gateway.list_participants(room, deadline=deadline)

    @override
    async def verify_access(self, *, deadline: float) -> None:
        async with _bounded("verify_access", deadline):
            await self._gateway.verify_access(deadline=deadline)


def _bounded(method: str, deadline: float) -> AbstractAsyncContextManager[None]:
    latest = max(deadline, asyncio.get_running_loop().time()) + GRACE_S
    return fails_at(latest, f"{method}() has not ended {GRACE_S:g} s after its deadline")
