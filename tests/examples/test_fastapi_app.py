from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from contract.livekit_answers import hang_up
from contract.livekit_double import LiveKitDouble
from tests.examples.conftest import ALICE, MICROPHONE
from tests.examples.programs import Programs
from tests.support.imports import PROJECT

APP = PROJECT / "examples" / "fastapi_app"
MUTE: Mapping[str, Any] = {
    "room": "standup",
    "identity": "alice",
    "track": "TR_microphone",
    "muted": True,
}


@pytest.fixture
async def url(programs: Programs) -> AsyncIterator[str]:
    arguments = ("--app-dir", APP, "--host", "127.0.0.1", "--port", "{port}")
    async with programs.serve("-m", "uvicorn", "main:app", *arguments) as url:
        yield f"{url}/mute"


async def post(
    session: aiohttp.ClientSession, url: str, token: str = "session-of-ann", **changes: object
) -> tuple[int, Any]:
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    async with session.post(url, json={**MUTE, **changes}, headers=bearer) as response:
        return response.status, await response.json()


class TestFastApiApp:
    async def test_mutes(
        self, url: str, session: aiohttp.ClientSession, livekit: LiveKitDouble
    ) -> None:
        assert await post(session, url) == (200, {"muted": True})
        assert livekit.rooms.tracks[ALICE][MICROPHONE.sid].muted

    async def test_maps_each_error_to_a_status(
        self, url: str, session: aiohttp.ClientSession, livekit: LiveKitDouble
    ) -> None:
        for changes, status, detail in (
            ({"token": "session-of-ben"}, 404, "no such room"),
            ({"identity": "bob"}, 404, "no such participant in the room"),
            ({"track": "TR_gone"}, 404, "the participant publishes no such track"),
            ({"muted": False}, 409, "remote unmute is disabled"),
            ({"token": "session-of-nobody"}, 401, "sign in first"),
            ({"token": ""}, 401, "Not authenticated"),
        ):
            assert await post(session, url, **changes) == (status, {"detail": detail}), changes
        for changes in ({"muted": "off"}, {"room": ""}, {"track": "x" * 129}):
            assert (await post(session, url, **changes))[0] == 422, changes
        assert not livekit.rooms.tracks[ALICE][MICROPHONE.sid].muted

    async def test_tells_an_outage_from_an_absence(
        self, url: str, session: aiohttp.ClientSession, livekit: LiveKitDouble
    ) -> None:
        with livekit.always(hang_up):
            assert await post(session, url) == (503, {"detail": "the room server is unavailable"})

    async def test_gives_livekit_the_time_of_the_request(
        self, url: str, session: aiohttp.ClientSession, livekit: LiveKitDouble
    ) -> None:
        await post(session, url)
        given_ms = int(livekit.headers["MutePublishedTrack"]["X-Twirp-Timeout-Ms"])
        assert given_ms <= 3000  # by default 5,000
