"""The LiveKit double judges access tokens as LiveKit does: each test asks both, as far as there."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from jwt import PyJWS
from jwt.utils import base64url_encode
from livekit.api import VideoGrants
from livekit.protocol.room import ListRoomsRequest

from tests.contract.livekit_over_http import DENIED, HttpAnswer, LiveKit, refusal
from tests.contract.livekit_versions import BEHAVIOUR

LIST_ROOMS = VideoGrants(room_list=True)
NO_SCHEME = refusal("invalid authorization header. Must start with Bearer ")
NO_TOKEN = refusal("invalid authorization token")
SINCE_1_13 = pytest.mark.livekit_since(1, 13)


def signed(livekit: LiveKit, **claims: object) -> str:
    """Sign a token that may list rooms, where the claims do not say otherwise."""
    valid = {"iss": livekit.api_key, "video": {"roomList": True}}
    return PyJWS().encode(json.dumps(valid | claims).encode(), livekit.api_secret)


def invalid(token: str, why: str) -> HttpAnswer:
    return refusal(f"invalid token: {token}, error: {why}")


def with_header(token: str, header: object) -> str:
    return f"{base64url_encode(json.dumps(header).encode()).decode()}{token[token.index('.') :]}"


class TestTokens:
    async def ask(self, livekit: LiveKit, token: str) -> HttpAnswer:
        return await livekit.ask("ListRooms", ListRoomsRequest(names=["unknown"]), token)

    async def test_refuses_a_wrong_secret_and_repeats_the_token(self, livekit: LiveKit) -> None:
        token = livekit.token(LIST_ROOMS, api_secret="another-secret-of-32-characters-")
        assert await self.ask(livekit, token) == invalid(
            token, BEHAVIOUR[livekit.version].wrong_secret
        )

    async def test_refuses_an_unknown_issuer(self, livekit: LiveKit) -> None:
        token = livekit.token(LIST_ROOMS, api_key="otherkey")
        assert await self.ask(livekit, token) == refusal("invalid API key: otherkey")

    async def test_refuses_an_expired_token(self, livekit: LiveKit) -> None:
        token = livekit.token(LIST_ROOMS, life=timedelta(minutes=-2))
        assert await self.ask(livekit, token) == invalid(token, BEHAVIOUR[livekit.version].expired)

    @pytest.mark.parametrize(("from_now_s", "refused"), [(30, False), (120, True)])
    async def test_refuses_a_token_of_the_future(
        self, livekit: LiveKit, from_now_s: int, *, refused: bool
    ) -> None:
        token = signed(livekit, nbf=int(time.time()) + from_now_s)
        refusal_of_it = invalid(token, BEHAVIOUR[livekit.version].not_valid_yet)
        assert (await self.ask(livekit, token) == refusal_of_it) is refused

    async def test_allows_for_clocks_that_differ(self, livekit: LiveKit) -> None:
        token = livekit.token(LIST_ROOMS, life=timedelta(seconds=-30))
        assert (await self.ask(livekit, token)).status == 200

    @SINCE_1_13
    async def test_refuses_a_token_that_never_is_valid(self, livekit: LiveKit) -> None:
        token = signed(livekit, exp=0, nbf=int(time.time()) + 120)
        why = "token has invalid claims: token is expired, token is not valid yet"
        assert await self.ask(livekit, token) == invalid(token, why)

    @pytest.mark.parametrize("garbage", ["garbage", "a.b", "a.b.c", "e30.W10.e30"])
    async def test_refuses_garbage(self, livekit: LiveKit, garbage: str) -> None:
        assert await self.ask(livekit, garbage) == NO_TOKEN

    @SINCE_1_13  # 1.9.11 takes some of them
    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda token: token[:-2], id="cut"),
            pytest.param(lambda token: f"{token}==", id="padded"),
            pytest.param(lambda token: f"{token[:-1]}!", id="no base64"),
            pytest.param(lambda token: f"{token}.a", id="four parts"),
            pytest.param(lambda token: f" {token}", id="a space"),
            pytest.param(lambda token: with_header(token, []), id="header is a list"),
            pytest.param(lambda token: with_header(token, {}), id="no algorithm"),
            pytest.param(lambda token: with_header(token, {"alg": "any"}), id="unknown algorithm"),
        ],
    )
    async def test_refuses_a_damaged_token(
        self, livekit: LiveKit, damage: Callable[[str], str]
    ) -> None:
        assert await self.ask(livekit, damage(livekit.token(LIST_ROOMS))) == NO_TOKEN

    @SINCE_1_13
    @pytest.mark.parametrize("algorithm", ["HS512", "RS256", "none"])
    async def test_refuses_another_algorithm(self, livekit: LiveKit, algorithm: str) -> None:
        token = with_header(livekit.token(LIST_ROOMS), {"alg": algorithm})
        why = f"token signature is invalid: signing method {algorithm} is invalid"
        assert await self.ask(livekit, token) == invalid(token, why)

    @pytest.mark.parametrize(
        "claims", [{"exp": "soon"}, {"nbf": []}, {"iat": True}, {"iss": 3}, {"sub": 3}], ids=str
    )
    async def test_refuses_claims_of_another_type(
        self, livekit: LiveKit, claims: dict[str, object]
    ) -> None:
        assert await self.ask(livekit, signed(livekit, **claims)) == NO_TOKEN

    @pytest.mark.parametrize("claims", [{"exp": None}, {"nbf": None}, {"sub": None}], ids=str)
    async def test_takes_null_for_a_missing_claim(
        self, livekit: LiveKit, claims: dict[str, object]
    ) -> None:
        assert (await self.ask(livekit, signed(livekit, **claims))).status == 200

    @pytest.mark.parametrize("video", [None, {}, {"roomList": None}, {"room": None}], ids=str)
    async def test_takes_null_for_a_missing_grant(self, livekit: LiveKit, video: object) -> None:
        assert await self.ask(livekit, signed(livekit, video=video)) == DENIED

    @SINCE_1_13
    @pytest.mark.parametrize(
        ("video", "why"),
        [
            (
                [],
                "array into Go struct field tokenClaims.ClaimGrants.video of type auth.VideoGrant",
            ),
            (
                3,
                "number into Go struct field tokenClaims.ClaimGrants.video of type auth.VideoGrant",
            ),
            (
                {"roomList": "true"},
                "string into Go struct field VideoGrant.ClaimGrants.video.roomList of type bool",
            ),
            (
                {"room": {}, "roomList": 1},
                "object into Go struct field VideoGrant.ClaimGrants.video.room of type string",
            ),
        ],
        ids=str,
    )
    async def test_refuses_grants_of_another_type(
        self, livekit: LiveKit, video: object, why: str
    ) -> None:
        token = signed(livekit, video=video)
        why = f"token is malformed: could not JSON decode claim: json: cannot unmarshal {why}"
        assert await self.ask(livekit, token) == invalid(token, why)

    async def test_may_come_in_the_query(self, livekit: LiveKit) -> None:
        async def ask(token: str, **headers: str) -> HttpAnswer:
            return await livekit.send(f"ListRooms?access_token={token}", headers=headers)

        token = livekit.token(LIST_ROOMS)
        assert (await ask(token)).status == 200
        assert await ask("garbage") == NO_TOKEN
        assert await ask("") == DENIED
        assert await ask(token, Authorization="Bearer garbage") == NO_TOKEN

    @pytest.mark.parametrize("value", ["Basic YTpi", "bearer x.y.z", "Bearer"])
    async def test_refuses_another_scheme(self, livekit: LiveKit, value: str) -> None:
        assert await livekit.send("ListRooms", headers={"Authorization": value}) == NO_SCHEME

    async def test_comes_before_the_route(self, livekit: LiveKit) -> None:
        headers = {"Authorization": "Bearer garbage", "Content-Type": "text/plain"}
        assert await livekit.send("Unknown", method="GET", headers=headers) == NO_TOKEN
        assert await livekit.send("../../elsewhere", headers=headers) == NO_TOKEN
