"""Reading rooms."""

from typing import final

import pytest

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import Clauses, clause
from contract.rooms import Rooms, similar_names, unused_name
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason


class RoomClauses(Clauses):
    """Reading rooms."""

    @final
    @clause
    async def test_reads_a_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.1 A room is read with its name and its owner, both unchanged."""
        name = await rooms.open(metadata='{"auth_id": "Tenant \u00e9", "topic": "any"}')
        assert await gateway.get_room(name, deadline=self.deadline()) == Room(
            name=name, owner="Tenant \u00e9"
        )

    @final
    @clause
    async def test_reads_a_room_without_owner(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.2 A room whose metadata names no owner has none."""
        for metadata in ("", "tenant", '"tenant"', "{}", '{"auth_id": 1}', '{"auth_id": " "}'):
            name = await rooms.open(metadata=metadata)
            assert await gateway.get_room(name, deadline=self.deadline()) == Room(
                name=name, owner=None
            )

    @final
    @clause
    async def test_finds_no_missing_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.3 A room that does not exist is missing."""
        with pytest.raises(RoomNotFoundError) as caught:
            await gateway.get_room(await unused_name(rooms), deadline=self.deadline())
        assert caught.value.reason is RoomNotFoundReason.MISSING

    @final
    @clause
    async def test_finds_no_room_by_a_similar_name(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """1.4 A room is missing under every name but its own, however similar."""
        name = await rooms.open(await unused_name(rooms))
        for similar in similar_names(name):
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(RoomName(similar), deadline=self.deadline())

    @final
    @clause
    async def test_tells_similar_names_apart(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.5 Rooms with similar names each have their own owner."""
        name = await unused_name(rooms)
        names = [RoomName(text) for text in (name, *similar_names(name))]
        for number, each in enumerate(names):
            await rooms.open(each, metadata=f'{{"auth_id": "tenant-{number}"}}')
        owners = [(await gateway.get_room(each, deadline=self.deadline())).owner for each in names]
        assert owners == [f"tenant-{number}" for number in range(len(names))]

    @final
    @clause
    async def test_reads_a_room_as_it_is_now(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.6 A room that was created, deleted or given another owner is read as it is now."""
        name = await unused_name(rooms)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name, deadline=self.deadline())
        await rooms.open(name, metadata='{"auth_id": "old"}')
        assert (await gateway.get_room(name, deadline=self.deadline())).owner == "old"
        await rooms.set_metadata(name, '{"auth_id": "new"}')
        assert (await gateway.get_room(name, deadline=self.deadline())).owner == "new"
        await rooms.close(name)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name, deadline=self.deadline())

    @final
    @clause
    async def test_reads_no_unreachable_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.7 Unreachable rooms are unavailable, never missing."""
        name = await rooms.open()
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(name, deadline=self.deadline())
