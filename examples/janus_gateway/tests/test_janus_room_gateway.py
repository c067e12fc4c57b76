"""The suite of livekit-mute's room gateways, on a Janus that runs for it."""

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

import aiohttp
import pytest
from janus_room_gateway import JanusRoomGateway
from janus_rooms import JanusRooms
from janus_server import SECRET, JanusServer, run_janus
from livekit_mute.application.ports.room_gateway import RoomGateway
from livekit_mute.contract.room_gateway import MANY, RoomGatewayContract
from livekit_mute.contract.rooms import Rooms
from typing_extensions import override

DENIES_NOBODY = "Janus denies nobody who is there"
UNMUTES = "Janus lets whoever may mute a stream unmute it, too"
SAME_MIDS = "mids count from 0 in each connection: others, and later streams, have the same"


@pytest.fixture(scope="session")
def janus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JanusServer]:
    program = shutil.which("janus")
    assert program, "install Janus, on Debian: apt-get install janus"
    with run_janus(program, tmp_path_factory.mktemp("janus")) as server:
        yield server


class TestJanusRoomGateway(RoomGatewayContract):
    differs: ClassVar[Mapping[str, str]] = {
        "test_finds_no_track_of_others": SAME_MIDS,
        "test_finds_no_unpublished_track": SAME_MIDS,
        "test_finds_no_participant_who_has_left": SAME_MIDS,
        "test_mutes_a_participant_who_is_denied_once": DENIES_NOBODY,
        "test_reports_no_denied_participant_as_absent": DENIES_NOBODY,
        "test_mutes_a_participant_whose_lookups_are_denied": DENIES_NOBODY,
        "test_refuses_to_unmute": UNMUTES,
        "test_refuses_to_unmute_an_unknown_track": UNMUTES,
    }
    timeout_s = 2.5  # which a call takes only where the server is stopped
    server: JanusServer

    @pytest.fixture(autouse=True)
    def _server(self, janus_server: JanusServer) -> None:
        self.server = janus_server

    @override
    @asynccontextmanager
    async def open_gateway(
        self, *, remote_unmute: bool
    ) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
        connections = aiohttp.TCPConnector(limit=MANY // 2)
        async with (
            aiohttp.ClientSession(connector=connections) as http,
            aiohttp.ClientSession() as http_of_rooms,
        ):
            gateway = JanusRoomGateway(
                janus=self.server.reached_over(http), admin_key=SECRET, room_secret=SECRET
            )
            rooms = JanusRooms(
                self.server.reached_over(http_of_rooms), SECRET, SECRET, self.server.process_id
            )
            yield gateway, rooms
            await rooms.disconnect_all()
