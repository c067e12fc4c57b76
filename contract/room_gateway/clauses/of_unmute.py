"""Unmuting where the room server lets participants unmute themselves only."""

from typing import final

import pytest
from attrs import evolve

from application.ports.room_gateway import RemoteUnmuteDisabledError, RoomGateway
from contract.room_gateway.clause import Clauses, clause_without_remote_unmute
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError


class UnmuteClauses(Clauses):
    """Unmuting where the room server lets participants unmute themselves only."""

    @final
    @clause_without_remote_unmute
    async def test_refuses_to_unmute(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """3.1 Without remote unmute, unmuting is refused and muting is not."""
        alice, sid = await publish(rooms, ALICE)
        assert await self.mute(gateway, alice, sid, muted=True) == Track(sid=sid, muted=True)
        with pytest.raises(RemoteUnmuteDisabledError):
            await self.mute(gateway, alice, sid, muted=False)
        assert await rooms.is_muted(alice, sid)

    @final
    @clause_without_remote_unmute
    async def test_refuses_to_unmute_an_unknown_track(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """3.2 Without remote unmute, unmuting is refused for an unknown track, too."""
        alice, _ = await publish(rooms, ALICE)
        with pytest.raises(RemoteUnmuteDisabledError):
            await self.mute(gateway, alice, NO_TRACK, muted=False)
        with pytest.raises(TrackNotFoundError):
            await self.mute(gateway, alice, NO_TRACK, muted=True)

    @final
    @clause_without_remote_unmute
    async def test_finds_no_absent_participant_to_unmute(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """3.3 Without remote unmute, an absent participant is still not found."""
        alice, sid = await publish(rooms, ALICE)
        with pytest.raises(ParticipantNotFoundError):
            await self.mute(gateway, evolve(alice, identity=BOB), sid, muted=False)
