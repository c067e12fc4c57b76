"""Tokens are made once for many calls, and are never old."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from livekit.api.room_service import RoomService

from adapters.livekit.api_key import ApiKey
from adapters.livekit.room_services import RoomServices
from domain.room import RoomName

KEY = ApiKey(name="key", secret="secret-of-livekit-that-is-long-enough")
NEW_KEY = ApiKey(name="new", secret="another-secret-of-livekit-that-is-new")
ROOM = RoomName("room")


class Keys:
    """Where the key of today is."""

    def __init__(self) -> None:
        self.key = KEY

    def __call__(self) -> ApiKey:
        return self.key


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def services(keys: Keys) -> AsyncIterator[RoomServices]:
    async with aiohttp.ClientSession() as session:
        yield RoomServices(url="http://livekit", api_key=keys, session=session, token_life_s=600)


def claims(service: RoomService, key: ApiKey = KEY) -> dict[str, object]:
    """Check the token that a service will send, and read it."""
    _, token = service._auth_header(None)["authorization"].split(" ")  # noqa: SLF001 - no other way
    found: dict[str, object] = jwt.decode(token, key.secret, ["HS256"])
    return found


class TestRoomServices:
    async def test_are_the_same_for_the_same_room(self, services: RoomServices) -> None:
        assert services.of_room(ROOM) is services.of_room(ROOM)
        assert services.for_listing() is services.for_listing()

    async def test_reach_one_room_each(self, services: RoomServices) -> None:
        rooms = [RoomName(name) for name in ("a", "b", "A", "None")]
        seen = [claims(services.of_room(room))["video"] for room in rooms]
        nothing = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        assert seen == [{"roomAdmin": True, "room": room, **nothing} for room in rooms]
        assert claims(services.for_listing())["video"] == {"roomList": True, **nothing}

    async def test_live_as_long_as_was_said(self, services: RoomServices) -> None:
        found = claims(services.for_listing())
        assert (found["exp"], found["iss"]) == (found["nbf"] + 600, "key")  # type: ignore[operator]

    async def test_are_made_anew_at_half_of_their_life(self, keys: Keys) -> None:
        async with aiohttp.ClientSession() as session:
            services = RoomServices(
                url="http://livekit", api_key=keys, session=session, token_life_s=4
            )
            old, old_exp = services.of_room(ROOM), claims(services.of_room(ROOM))["exp"]
            await asyncio.sleep(2.1)
            new = services.of_room(ROOM)
        assert new is not old
        assert claims(new)["exp"] - old_exp in (2, 3)  # type: ignore[operator]

    async def test_are_those_of_the_key_of_today(self, services: RoomServices, keys: Keys) -> None:
        claims(services.of_room(ROOM))
        keys.key = NEW_KEY
        assert claims(services.of_room(ROOM), NEW_KEY)["iss"] == "new"
        assert claims(services.for_listing(), NEW_KEY)["iss"] == "new"
        keys.key = KEY
        assert claims(services.of_room(ROOM))["iss"] == "key"

    async def test_are_kept_for_the_4096_rooms_last_used(self, services: RoomServices) -> None:
        first, second = services.of_room(RoomName("0")), services.of_room(RoomName("1"))
        for number in range(2, 4096):
            services.of_room(RoomName(str(number)))
        assert services.of_room(RoomName("0")) is first
        services.of_room(RoomName("4096"))
        assert services.of_room(RoomName("0")) is first
        assert services.of_room(RoomName("1")) is not second
