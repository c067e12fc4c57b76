"""The room gateway's suite on LiveKit: its double, and a real server."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import ClassVar

import pytest
from aiohttp.test_utils import TestServer
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
from tests.support.timeouts import scaled

CONNECTIONS = MANY // 2


def double_of(rooms: LiveKitRooms) -> LiveKitDouble:
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


def gateway_to(
    url: str, livekit: LiveKitDouble | RealLiveKit
) -> AbstractAsyncContextManager[RoomGateway]:
    return open_gateway(
        url=url,
        api_key=partial(ApiKey, name=livekit.api_key, secret=livekit.api_secret),
        limits=LiveKitLimits(max_connections=CONNECTIONS),
    )


class TestLiveKitRoomGateway(RoomGatewayContract):
    psrpc: ClassVar[bool] = False

    @override
    @asynccontextmanager
    async def open_gateway(
        self, *, remote_unmute: bool
    ) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
        double = double_of(
            LiveKitRooms(remote_unmute=remote_unmute, absent_wait_s=3600, psrpc=self.psrpc)
        )
        async with (
            TestServer(double.app()) as server,
            gateway_to(str(server.make_url("/")), double) as gateway,
        ):
            yield gateway, arranged.behind_double(double)


class TestLiveKitRoomGatewayWithPsrpc(TestLiveKitRoomGateway):
    psrpc = True


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
    clause_timeout_s = scaled(250)
    start: Callable[[bool], RealLiveKit]

    @pytest.fixture(autouse=True)
    def _server(self, livekit_server: Callable[..., LiveKitServer]) -> None:
        self.start = livekit_server

    @override
    @asynccontextmanager
    async def open_gateway(
        self, *, remote_unmute: bool
    ) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
        server = self.start(remote_unmute)
        async with rooms_on(server) as rooms, gateway_to(server.url, server) as gateway:
            yield gateway, rooms


@pytest.mark.livekit_since(1, 13)
class TestLiveKitRoomGatewayOnARealServerThatAsksTheRoom(TestLiveKitRoomGatewayOnARealServer):
    """LiveKit's GetParticipant waits 3 s in a missing room, as MutePublishedTrack does."""

    @pytest.fixture(autouse=True)
    @override
    def _server(self, livekit_server: Callable[..., LiveKitServer]) -> None:
        psrpc = {"api": {"enable_psrpc_for_get_list_participants": True}}
        self.start = partial(livekit_server, sections=psrpc)


@pytest.mark.livekit_cluster
class TestLiveKitRoomGatewayOnTwoNodes(TestLiveKitRoomGatewayOnARealServer):
    @pytest.fixture(autouse=True)
    @override
    def _server(self, livekit_cluster: Callable[..., LiveKitCluster]) -> None:
        self.start = livekit_cluster
