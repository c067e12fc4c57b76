"""The room gateway's suite on rooms in memory."""

import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from contract.room_gateway import RoomGatewayContract
from contract.rooms import Rooms
from tests.support.rooms import arranged
from tests.support.rooms.arranged import DeniableRooms


class TestInMemoryRoomGateway(RoomGatewayContract):
    @pytest.fixture
    def in_memory(self, *, remote_unmute: bool) -> DeniableRooms:
        return DeniableRooms(remote_unmute=remote_unmute)

    @pytest.fixture
    def rooms(self, in_memory: DeniableRooms) -> Rooms:
        return arranged.in_memory(in_memory)

    @pytest.fixture
    def gateway(self, in_memory: DeniableRooms) -> RoomGateway:
        return InMemoryRoomGateway(in_memory)
