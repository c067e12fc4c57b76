"""Tokens are signed once for many calls, and never too old."""

import jwt
from attrs import define

from adapters.livekit.api_key import ApiKey
from adapters.livekit.tokens import AccessTokens
from domain.room import RoomName

KEY = ApiKey(name="key", secret="secret-of-livekit-that-is-long-enough")
NEW_KEY = ApiKey(name="new", secret="another-secret-of-livekit-that-is-new")
ROOM = RoomName("room")


@define
class World:
    """The current key and time."""

    key: ApiKey = KEY
    now: float = 1000.0


def tokens_in(world: World, *, life_s: float = 600) -> AccessTokens:
    return AccessTokens(api_key=lambda: world.key, token_life_s=life_s, monotonic=lambda: world.now)


def claims(token: str, key: ApiKey = KEY) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(token, key.secret, ["HS256"])
    return found


class TestAccessTokens:
    def test_are_signed_once_for_each_room_and_for_listing(self) -> None:
        """Equal tokens may be two: each is a string of its own."""
        tokens = tokens_in(World())
        assert tokens.for_listing() is tokens.for_listing()
        for name in (ROOM, RoomName("x" * 256)):
            assert tokens.for_room(name) is tokens.for_room(name)

    def test_have_the_least_grants(self) -> None:
        tokens = tokens_in(World())
        rooms = [RoomName(name) for name in ("a", "b", "A", "None")]
        nothing = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        grants = [claims(tokens.for_room(room))["video"] for room in rooms]
        assert grants == [{"roomAdmin": True, "room": room, **nothing} for room in rooms]
        assert claims(tokens.for_listing())["video"] == {"roomList": True, **nothing}

    def test_live_as_long_as_set(self) -> None:
        found = claims(tokens_in(World(), life_s=600).for_listing())
        assert (found["exp"], found["iss"]) == (found["nbf"] + 600, "key")  # type: ignore[operator]

    def test_are_replaced_after_half_of_their_life(self) -> None:
        world = World()
        tokens = tokens_in(world, life_s=600)
        old = tokens.for_room(ROOM)
        world.now += 299.9
        assert tokens.for_room(ROOM) is old
        world.now += 0.1
        assert tokens.for_room(ROOM) is not old

    def test_are_signed_with_the_current_key(self) -> None:
        world = World()
        tokens = tokens_in(world)
        claims(tokens.for_room(ROOM))
        world.key = NEW_KEY
        assert claims(tokens.for_room(ROOM), NEW_KEY)["iss"] == "new"
        assert claims(tokens.for_listing(), NEW_KEY)["iss"] == "new"
        world.key = KEY
        assert claims(tokens.for_room(ROOM))["iss"] == "key"

    def test_are_kept_though_an_equal_key_is_another_object(self) -> None:
        world = World()
        tokens = tokens_in(world)
        old = tokens.for_room(ROOM)
        world.key = ApiKey(name=KEY.name, secret=KEY.secret)
        assert tokens.for_room(ROOM) is old

    def test_are_cached_for_the_4096_rooms_used_last(self) -> None:
        tokens = tokens_in(World())
        first, second = tokens.for_room(RoomName("0")), tokens.for_room(RoomName("1"))
        for number in range(2, 4096):
            tokens.for_room(RoomName(str(number)))
        assert tokens.for_room(RoomName("0")) is first
        tokens.for_room(RoomName("4096"))
        assert tokens.for_room(RoomName("0")) is first
        assert tokens.for_room(RoomName("1")) is not second

    def test_are_not_cached_for_names_that_livekit_cannot_have(self) -> None:
        tokens, name = tokens_in(World()), RoomName("x" * 257)
        assert tokens.for_room(name) is not tokens.for_room(name)
