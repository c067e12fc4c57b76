"""Muting tracks of participants whom the room server denies though they are there."""

from typing import final

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import MANY, Clauses, clause
from contract.rooms import ALICE, Rooms, publish
from domain.track import Track


class DenialClauses(Clauses):
    """Muting tracks of participants whom the room server denies though they are there."""

    @final
    @clause
    async def test_mutes_a_participant_who_is_denied_once(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.13 A participant in the room is muted though the server denies them to one mute."""
        alice, sid = await publish(rooms, ALICE)
        for read in (True, False):
            await rooms.deny_mutes(alice, times=1)
            track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            assert track == Track(sid=sid, muted=read)
            assert await rooms.is_muted(alice, sid) is read

    @final
    @clause
    async def test_reports_no_denied_participant_as_absent(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.14 A participant in the room is muted or unavailable though every mute denies them."""
        alice, sid = await publish(rooms, ALICE)
        await rooms.deny_mutes(alice, times=MANY)
        for read in (True, False):
            try:
                track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            except RoomGatewayUnavailableError:
                continue
            assert track == Track(sid=sid, muted=read)

    @final
    @clause
    async def test_mutes_a_participant_whose_lookups_are_denied(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.15 A participant in the room is muted though lookups of them are denied."""
        alice, sid = await publish(rooms, ALICE)
        await rooms.deny_lookups(alice)
        for read in (True, False):
            track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            assert track == Track(sid=sid, muted=read)
            assert await rooms.is_muted(alice, sid) is read
