"""Tokens are signed once for many calls, and never too old by the wall clock."""

import hmac
import warnings
from base64 import urlsafe_b64decode

import jwt
import pytest
from attrs import define

from adapters.livekit.api_key import ApiKey
from adapters.livekit.tokens import AccessTokens
from domain.room import RoomName

KEY = ApiKey(name="key", secret="secret-of-livekit-that-is-long-enough")
NEW_KEY = ApiKey(name="new", secret="another-secret-of-livekit-that-is-new")
ROOM = RoomName("room")


@define
class World:
    """The current key, and the time of day."""

    key: ApiKey = KEY
    now: float = 1000.0


def tokens_in(world: World, *, life_s: float = 600) -> AccessTokens:
    return AccessTokens(
        api_key=lambda: world.key, token_life_s=life_s, wall_clock=lambda: world.now
    )


def claims(token: str, key: ApiKey = KEY) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(
        token, key.secret, ["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    return found


class TestAccessTokens:
    def test_are_signed_once_for_each_room_and_for_listing(self) -> None:
        """Equal tokens may be two: each is a string of its own."""
        tokens = tokens_in(World())
        assert tokens.token_for(None) is tokens.token_for(None)
        for name in (ROOM, RoomName("x" * 256)):
            assert tokens.token_for(name) is tokens.token_for(name)

    def test_have_the_least_grants(self) -> None:
        tokens = tokens_in(World())
        rooms = [RoomName(name) for name in ("a", "b", "A", "None")]
        nothing = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        grants = [claims(tokens.token_for(room))["video"] for room in rooms]
        assert grants == [{"roomAdmin": True, "room": room, **nothing} for room in rooms]
        assert claims(tokens.token_for(None))["video"] == {"roomList": True, **nothing}

    def test_live_as_long_as_set(self) -> None:
        found = claims(tokens_in(World(now=1000.9), life_s=600).token_for(None))
        assert (found["nbf"], found["exp"], found["iss"]) == (1000, 1600, "key")

    def test_are_replaced_after_half_of_their_life(self) -> None:
        world = World()
        tokens = tokens_in(world, life_s=600)
        old = tokens.token_for(ROOM)
        world.now += 299.9
        assert tokens.token_for(ROOM) is old
        world.now += 0.1
        assert tokens.token_for(ROOM) is not old

    def test_are_signed_with_the_current_key(self) -> None:
        world = World()
        tokens = tokens_in(world)
        claims(tokens.token_for(ROOM))
        world.key = NEW_KEY
        assert claims(tokens.token_for(ROOM), NEW_KEY)["iss"] == "new"
        assert claims(tokens.token_for(None), NEW_KEY)["iss"] == "new"
        world.key = KEY
        assert claims(tokens.token_for(ROOM))["iss"] == "key"

    def test_are_kept_though_an_equal_key_is_another_object(self) -> None:
        world = World()
        tokens = tokens_in(world)
        old = tokens.token_for(ROOM)
        world.key = ApiKey(name=KEY.name, secret=KEY.secret)
        assert tokens.token_for(ROOM) is old

    def test_are_cached_for_the_4096_rooms_used_last(self) -> None:
        tokens = tokens_in(World())
        first, second = tokens.token_for(RoomName("0")), tokens.token_for(RoomName("1"))
        for number in range(2, 4096):
            tokens.token_for(RoomName(str(number)))
        assert tokens.token_for(RoomName("0")) is first
        tokens.token_for(RoomName("4096"))
        assert tokens.token_for(RoomName("0")) is first
        assert tokens.token_for(RoomName("1")) is not second

    def test_that_were_signed_again_count_as_used_last(self) -> None:
        world = World()
        tokens = tokens_in(world, life_s=600)
        for number in range(4096):
            tokens.token_for(RoomName(str(number)))
        world.now += 300
        again = tokens.token_for(RoomName("0"))
        tokens.token_for(RoomName("4096"))
        assert tokens.token_for(RoomName("0")) is again

    def test_are_replaced_once_the_clock_is_set_back(self) -> None:
        """LiveKit would refuse one that is not valid yet."""
        world = World()
        tokens = tokens_in(world)
        old = tokens.token_for(ROOM)
        world.now -= 1
        new = tokens.token_for(ROOM)
        assert claims(new)["nbf"] == 999
        world.now += 1
        assert tokens.token_for(ROOM) is new
        assert new is not old

    def test_are_replaced_once_the_clock_is_set_forth(self) -> None:
        world = World()
        tokens = tokens_in(world)
        tokens.token_for(ROOM)
        world.now += 3600
        assert claims(tokens.token_for(ROOM))["exp"] == 1000 + 3600 + 600

    def test_are_not_cached_for_names_that_livekit_cannot_have(self) -> None:
        """It counts bytes."""
        cached = {}
        for text in ("x" * 256, "x" * 257, "\u00e9" * 128, "\u00e9" * 129):
            tokens, name = tokens_in(World()), RoomName(text)
            cached[text] = tokens.token_for(name) is tokens.token_for(name)
        assert [*cached.values()] == [True, False, True, False]

    @pytest.mark.parametrize("length", [1, 31, 32, 63, 64, 65, 200])
    def test_are_signed_with_a_secret_of_any_length_without_a_warning(self, length: int) -> None:
        key = ApiKey(name="key", secret="x" * length)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            token = tokens_in(World(key=key)).token_for(ROOM)
        signed, _, signature = token.rpartition(".")
        expected = hmac.digest(key.secret.encode(), signed.encode(), "sha256")
        assert urlsafe_b64decode(signature + "=") == expected


class TestRenewedTokens:
    def test_are_signed_once_for_all_calls_that_were_refused(self) -> None:
        world = World()
        tokens = tokens_in(world)
        refused = tokens.token_for(ROOM)
        world.now += 1
        renewed = [tokens.renewed_for(ROOM, refused=refused) for _ in range(100)]
        assert {id(token) for token in renewed} == {id(tokens.token_for(ROOM))}
        assert claims(tokens.token_for(ROOM))["nbf"] == 1001

    def test_are_renewed_after_ten_seconds_at_the_soonest(self) -> None:
        """A wrong secret must not make every call two."""
        world = World()
        tokens = tokens_in(world)
        refused = tokens.renewed_for(ROOM, refused=tokens.token_for(ROOM))
        assert refused is not None
        for moved_s, is_renewed in ((0, False), (9.9, False), (0.1, True)):
            world.now += moved_s
            assert (tokens.renewed_for(ROOM, refused=refused) is not None) == is_renewed
            assert (tokens.token_for(ROOM) is refused) != is_renewed

    @pytest.mark.parametrize("moved_s", [-3600, -10, 10, 3600])
    def test_are_renewed_at_once_where_the_clock_has_moved(self, moved_s: float) -> None:
        world = World()
        tokens = tokens_in(world)
        refused = tokens.renewed_for(ROOM, refused=tokens.token_for(ROOM))
        assert refused is not None
        world.now += moved_s
        again = tokens.renewed_for(ROOM, refused=refused)
        assert again is not None
        assert claims(again)["nbf"] == 1000 + moved_s

    def test_of_other_rooms_are_not_affected(self) -> None:
        tokens = tokens_in(World())
        listing, refused = tokens.token_for(None), tokens.token_for(ROOM)
        tokens.renewed_for(ROOM, refused=refused)
        assert tokens.token_for(None) is listing

    def test_are_signed_with_the_current_key(self) -> None:
        world = World()
        tokens = tokens_in(world)
        refused = tokens.token_for(ROOM)
        world.key = NEW_KEY
        renewed = tokens.renewed_for(ROOM, refused=refused)
        assert renewed is not None
        assert claims(renewed, NEW_KEY)["iss"] == "new"
