from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from contract.livekit_double import LiveKitDouble
from tests.examples.conftest import ALICE, MICROPHONE
from tests.examples.programs import Programs
from tests.support.imports import PROJECT
from tests.support.service import MUTE

REQUEST = {
    "room_name": "standup",
    "participant_identity": "alice",
    "track_sid": "TR_microphone",
    "muted": True,
}


@pytest.fixture
async def url(programs: Programs) -> AsyncIterator[str]:
    app = PROJECT / "examples" / "aiohttp_app" / "app.py"
    async with programs.serve(app, PORT="{port}") as url:
        yield url


async def post(session: aiohttp.ClientSession, url: str, cookie: str) -> tuple[int, Any]:
    headers = {"Cookie": f"session={cookie}"} if cookie else {}
    mute = f"{url}/conference{MUTE}"
    async with session.post(mute, json=REQUEST, headers=headers) as response:
        return response.status, await response.json()


class TestAiohttpApp:
    async def test_mutes_for_whom_its_own_session_identifies(
        self, url: str, session: aiohttp.ClientSession, livekit: LiveKitDouble
    ) -> None:
        for cookie, status, code in (
            ("", 401, "UNAUTHORIZED"),
            ("session-of-nobody", 401, "UNAUTHORIZED"),
            ("session-of-ben", 404, "ROOM_NOT_FOUND"),
        ):
            found, body = await post(session, url, cookie)
            assert (found, body["code"]) == (status, code)
        assert not livekit.rooms.tracks[ALICE][MICROPHONE.sid].muted
        assert await post(session, url, "session-of-ann") == (200, REQUEST)
        assert livekit.rooms.tracks[ALICE][MICROPHONE.sid].muted

    async def test_is_otherwise_as_it_was(self, url: str, session: aiohttp.ClientSession) -> None:
        headers = {"Cookie": "session=session-of-ben"}
        async with session.get(url, headers=headers) as response:
            assert await response.text() == "signed in as tenant-b\n"

    async def test_is_ready(self, url: str, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{url}/conference/readyz") as response:
            assert (response.status, await response.json()) == (200, {"status": "READY"})
