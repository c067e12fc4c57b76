"""The LiveKit double reads paths as LiveKit does: each test asks both, where both are there."""

import json

import pytest
from livekit.api import VideoGrants

from tests.contract.livekit_over_http import JSON, LiveKit


class TestPaths:
    async def ask(self, livekit: LiveKit, path: str) -> tuple[int, str | None, bytes]:
        headers = {"Authorization": f"Bearer {livekit.token(VideoGrants(room_list=True))}"}
        asked = json.dumps({"names": ["unknown"]})
        url = livekit.url.rstrip("/") + path
        async with livekit.session.post(
            url, data=asked, headers={**headers, "Content-Type": JSON}, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers.get("Location"), await answer.read()

    @pytest.mark.parametrize(
        "path",
        [
            "/twirp/livekit.RoomService/ListRooms",
            "//twirp/livekit.RoomService/ListRooms",
            "//twirp/livekit.RoomService/ListRooms?any=1",
        ],
    )
    async def test_may_begin_with_two_slashes(self, livekit: LiveKit, path: str) -> None:
        status, _, body = await self.ask(livekit, path)
        assert (status, json.loads(body)) == (200, {"rooms": []})

    @pytest.mark.parametrize(
        ("path", "clean"),
        [
            ("///twirp/livekit.RoomService/ListRooms", "/twirp/livekit.RoomService/ListRooms"),
            ("/twirp//livekit.RoomService/ListRooms", "/twirp/livekit.RoomService/ListRooms"),
            ("//a//b/?c=1&d=%0D%0A", "/a/b/?c=1&d=%0D%0A"),
        ],
    )
    async def test_are_redirected_to_clean_ones(
        self, livekit: LiveKit, path: str, clean: str
    ) -> None:
        assert await self.ask(livekit, path) == (307, clean, b"")

    async def test_name_no_call_in_another_case(self, livekit: LiveKit) -> None:
        status, _, body = await self.ask(livekit, "/TWIRP/livekit.RoomService/ListRooms")
        assert (status, body) == (404, b"404 page not found\n")

    async def test_are_told_with_one_slash(self, livekit: LiveKit) -> None:
        status, _, body = await self.ask(livekit, "//twirp/livekit.RoomService/Unknown")
        route = "POST /twirp/livekit.RoomService/Unknown"
        assert (status, json.loads(body)["meta"]) == (404, {"twirp_invalid_route": route})
