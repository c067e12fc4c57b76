"""The room gateway's suite on LiveKit: its double, and a real server."""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import ClassVar

import pytest
from pytest_aiohttp import AiohttpServer
from typing_extensions import override

from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from application.ports.room_gateway import RoomGateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from contract.room_gateway import MANY, RoomGatewayContract
from contract.rooms import Rooms
from tests.support.livekit_cluster import LiveKitCluster, RealLiveKit
from tests.support.livekit_server import LiveKitServer
from tests.support.rooms import arranged
from tests.support.rooms.real import rooms_on

CONNECTIONS = MANY // 2


def double_of(rooms: LiveKitRooms) -> LiveKitDouble:
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


class TestLiveKitRoomGateway(RoomGatewayContract):
    @pytest.fixture
    def double(self, *, remote_unmute: bool) -> LiveKitDouble:
        return double_of(LiveKitRooms(remote_unmute=remote_unmute, absent_wait_s=3600))

    @pytest.fixture
    def rooms(self, double: LiveKitDouble) -> Rooms:
        return arranged.behind_double(double)

    @pytest.fixture
    async def gateway(
        self, double: LiveKitDouble, aiohttp_server: AiohttpServer
    ) -> AsyncIterator[RoomGateway]:
        server = await aiohttp_server(double.app())
        async with open_gateway(
            url=str(server.make_url("/")),
            api_key=partial(ApiKey, name=double.api_key, secret=double.api_secret),
            limits=LiveKitLimits(max_connections=CONNECTIONS),
        ) as gateway:
            yield gateway


class TestLiveKitRoomGatewayWithPsrpc(TestLiveKitRoomGateway):
    @pytest.fixture
    @override
    def double(self, *, remote_unmute: bool) -> LiveKitDouble:
        return double_of(LiveKitRooms(remote_unmute=remote_unmute, absent_wait_s=3600, psrpc=True))


@pytest.mark.livekit_server
class TestLiveKitRoomGatewayOnARealServer(RoomGatewayContract):
    differs: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "test_mutes_a_participant_who_is_denied_once",
            "test_reports_no_denied_participant_as_absent",
            "test_mutes_a_participant_whose_lookups_are_denied",
        ),
        "a single server denies nobody who is there",
    )
    timeout_s = 2.5  # less than the 3 s that LiveKit waits for an absent participant

    @pytest.fixture
    def server(
        self, livekit_server: Callable[[bool], LiveKitServer], *, remote_unmute: bool
    ) -> RealLiveKit:
        return livekit_server(remote_unmute)

    @pytest.fixture
    async def rooms(self, server: RealLiveKit) -> AsyncIterator[Rooms]:
        async with rooms_on(server) as rooms:
            yield rooms

    @pytest.fixture
    async def gateway(self, server: RealLiveKit) -> AsyncIterator[RoomGateway]:
        async with open_gateway(
            url=server.url,
            api_key=partial(ApiKey, name=server.api_key, secret=server.api_secret),
            limits=LiveKitLimits(max_connections=CONNECTIONS),
        ) as gateway:
            yield gateway


@pytest.mark.livekit_since(1, 13)
class TestLiveKitRoomGatewayOnARealServerThatAsksTheRoom(TestLiveKitRoomGatewayOnARealServer):
    """LiveKit's GetParticipant waits 3 s in a missing room, as MutePublishedTrack does."""

    @pytest.fixture
    @override
    def server(
        self, livekit_server: Callable[..., LiveKitServer], *, remote_unmute: bool
    ) -> LiveKitServer:
        return livekit_server(
            remote_unmute, {"api": {"enable_psrpc_for_get_list_participants": True}}
        )


@pytest.mark.livekit_cluster
class TestLiveKitRoomGatewayOnTwoNodes(TestLiveKitRoomGatewayOnARealServer):
    @pytest.fixture
    @override
    def server(
        self, livekit_cluster: Callable[[bool], LiveKitCluster], *, remote_unmute: bool
    ) -> LiveKitCluster:
        return livekit_cluster(remote_unmute)
