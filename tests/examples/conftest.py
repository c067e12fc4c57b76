import os
from collections.abc import AsyncIterator
from pathlib import Path
from zipfile import ZipFile

import aiohttp
import pytest
from pytest_aiohttp import AiohttpServer

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.track import Participant, PublishedTrack, TrackSource
from tests.examples.programs import Programs

ALICE = Participant(room="standup", identity="alice")
MICROPHONE = PublishedTrack(sid="TR_microphone", muted=False, source=TrackSource.MICROPHONE)


@pytest.fixture(scope="session")
def library(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as it is installed."""
    folder = tmp_path_factory.mktemp("library")
    ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture
def livekit() -> LiveKitDouble:
    """A LiveKit where Alice publishes her microphone, in a room of tenant-a."""
    rooms = LiveKitRooms()
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, MICROPHONE)
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


@pytest.fixture
async def programs(
    library: Path, livekit: LiveKitDouble, aiohttp_server: AiohttpServer
) -> Programs:
    server = await aiohttp_server(livekit.app())
    return Programs(
        {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(library),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LIVEKIT_URL": f"ws://127.0.0.1:{server.port}",
            "LIVEKIT_API_KEY": livekit.api_key,
            "LIVEKIT_API_SECRET": livekit.api_secret,
        }
    )


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
