"""The room gateway's suite on rooms in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from contract.room_gateway import RoomGatewayContract
from contract.rooms import Rooms
from tests.support.rooms import arranged
from tests.support.rooms.arranged import DeniableRooms


class TestInMemoryRoomGateway(RoomGatewayContract):
    @override
    @asynccontextmanager
    async def open_gateway(
        self, *, remote_unmute: bool
    ) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
        rooms = DeniableRooms(remote_unmute=remote_unmute)
        yield InMemoryRoomGateway(rooms), arranged.in_memory(rooms)
