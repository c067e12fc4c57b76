"""Verifying access."""

from typing import final

import pytest

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import Clauses, clause
from contract.rooms import ALICE, Rooms, publish
from domain.room import Room


class AccessClauses(Clauses):
    """Verifying access."""

    @final
    @clause
    async def test_verifies_access(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """5.1 Access is verified without changing anything, with or without rooms."""
        await gateway.verify_access(deadline=self.deadline())
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata='{"auth_id": "a"}'))
        await gateway.verify_access(deadline=self.deadline())
        assert not await rooms.is_muted(alice, sid)
        assert await gateway.get_room(alice.room, deadline=self.deadline()) == Room(
            name=alice.room, owner="a"
        )

    @final
    @clause
    async def test_verifies_no_access_to_unreachable_rooms(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """5.2 Access to unreachable rooms is unavailable until they can be reached again."""
        await gateway.verify_access(deadline=self.deadline())
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.verify_access(deadline=self.deadline())
        await gateway.verify_access(deadline=self.deadline())
