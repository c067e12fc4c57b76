"""The check against a real LiveKit."""

from collections.abc import Callable, Mapping

import pytest
from aiohttp import ClientSession
from livekit.api import LiveKitAPI, MuteRoomTrackRequest, ServerError

from entrypoints.check.finding import Verdict
from entrypoints.settings.settings import load_settings
from tests.entrypoints.check.conftest import found
from tests.support.livekit_server import LiveKitServer


def settings_of(server: LiveKitServer, **others: str) -> Mapping[str, str]:
    return {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": server.api_secret,
        "AUTH_API_SECRET": "s3cret",
        **others,
    }


@pytest.mark.livekit_server
class TestWithARealServer:
    async def test_is_green_as_far_as_it_can_be_told(
        self, livekit_server: Callable[..., LiveKitServer]
    ) -> None:
        checks = await found(load_settings(settings_of(livekit_server(remote_unmute=False))))
        assert {name for name, each in checks.items() if each.verdict is not Verdict.OK} == {
            "livekit version",
            "remote unmute",
        }

    @pytest.mark.parametrize(
        ("others", "text"),
        [
            ({"LIVEKIT_API_KEY": "other"}, "LiveKit does not know the API key"),
            ({"LIVEKIT_API_SECRET": "o" * 32}, "LiveKit has another secret for the API key"),
        ],
    )
    async def test_is_red_for_a_wrong_key(
        self,
        livekit_server: Callable[..., LiveKitServer],
        others: Mapping[str, str],
        text: str,
    ) -> None:
        variables = settings_of(livekit_server(remote_unmute=False), **others)
        key = (await found(load_settings(variables)))["livekit key"]
        assert (key.verdict, key.text) == (Verdict.FAILED, f"answered 401: {text}")

    async def test_cannot_tell_a_version_because_no_answer_has_one(
        self, livekit_server: Callable[..., LiveKitServer]
    ) -> None:
        """Otherwise the check should show it."""
        server = livekit_server(remote_unmute=False)
        version = ".".join(map(str, server.version))
        async with ClientSession() as session:
            for path in ("/", "/rtc/validate", "/version", "/metrics"):
                async with session.get(f"{server.url}{path}") as answer:
                    assert version not in f"{answer.headers} {await answer.text()}"

    async def test_cannot_tell_remote_unmute_because_nobodys_unmute_is_the_same(
        self, livekit_server: Callable[..., LiveKitServer]
    ) -> None:
        """Otherwise the check should show it."""
        answers = [await unmute_nobody(livekit_server(remote_unmute=on)) for on in (False, True)]
        assert answers[0] == answers[1]


async def unmute_nobody(server: LiveKitServer) -> tuple[int, str]:
    """Return the status and the code of the answer."""
    request = MuteRoomTrackRequest(room="no such room", identity="nobody", track_sid="TR_none")
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as api:
        with pytest.raises(ServerError) as refused:
            await api.room.mute_published_track(request)
    return refused.value.status, refused.value.code
