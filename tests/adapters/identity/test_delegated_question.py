import time
from collections.abc import Mapping

import pytest
from aiohttp import web
from typing_extensions import override

from adapters.identity.delegated import DelegatedAuthenticator
from adapters.identity.upstream import make_session
from application.ports.authenticator import Credential
from tests.adapters.identity.answers import tenant
from tests.adapters.identity.asking import asking, judge
from tests.adapters.identity.authentication_service import (
    GOOD,
    MAKE_KEY,
    AuthenticationService,
    KeyPair,
    Question,
    usual_keys,
)
from tests.presented import Presented, showing

pytestmark = pytest.mark.campaign("authentication service's answers")

ASKED = "POST /auth?for=us"


async def ask(request: Presented | None = None, *, alg: str = "ES256") -> Question:
    """Have a token judged, and tell what the service was asked."""
    service = AuthenticationService(keys=KeyPair.made(alg) if alg != "ES256" else usual_keys())
    async with (
        service.running(),
        asking(service.url, signing_key=lambda: service.keys.signing) as authenticator,
    ):
        assert await judge(authenticator, request) == tenant()
    [question] = service.questions
    return question


class TestQuestion:
    async def test_is_a_signed_token_and_nothing_else(self) -> None:
        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            await judge(authenticator)
        [question] = service.questions
        assert service.visits == [ASKED]
        assert question.headers["content-type"] == "application/jwt"
        assert question.headers["accept-encoding"] == "identity"
        assert "s3cret-token" not in str(question.headers)

    @pytest.mark.parametrize("alg", MAKE_KEY)
    async def test_is_signed_as_its_key_calls_for(self, alg: str) -> None:
        question = await ask(alg=alg)
        assert question.token_header == {"alg": alg, "typ": "JWT"}

    async def test_says_when_it_is_asked_and_how_long_it_is_good(self) -> None:
        service = AuthenticationService()
        async with service.running(), make_session(max_connections=1) as session:
            authenticator = DelegatedAuthenticator(
                url=service.url,
                signing_key=lambda: usual_keys().signing,
                session=session,
                timeout_s=20,
                allow_no_id=False,
                clock=lambda: 1_700_000_000.9,
            )
            await judge(authenticator)
        [question] = service.questions
        times = {"iat": 1_700_000_000, "exp": 1_700_000_300}
        assert {**question.claims, "auth_data": {}} == {
            "sub": "sayna-auth",
            "auth_data": {},
            **times,
        }
        assert all(type(question.claims[name]) is int for name in times)

    async def test_tells_the_time_of_today(self) -> None:
        before = int(time.time())
        question = await ask()
        assert before <= question.claims["iat"] <= time.time()

    async def test_repeats_what_was_shown(self) -> None:
        body = {"room_name": "r\u00fc\U0001f600", "x": [1, 1.5, None, {"y": True}], "z": 10**30}
        headers = {"user-agent": "\u00fc", "x-request-id": "1", "accept": "a, b"}
        request = Presented(method="PUT", path="/else/where", headers=headers, members=body)
        assert (await ask(request)).data == {
            "token": "s3cret-token",
            "request_body": body,
            "request_headers": headers,
            "request_path": "/else/where",
            "request_method": "PUT",
        }

    @pytest.mark.parametrize(
        "name",
        [
            "authorization",
            "cookie",
            "host",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-",
            "x-sayna-id",
            "x-sayna-",
        ],
    )
    async def test_keeps_a_header_back(self, name: str) -> None:
        question = await ask(Presented(headers={name: "s3cret", "x": "y"}))
        assert question.data["request_headers"] == {"x": "y"}

    @pytest.mark.parametrize(
        "name",
        [
            "authorization-info",
            "cookies",
            "hostname",
            "x-real-ips",
            "x-forwarded",
            "x-sayna",
            "my-x-sayna-id",
            "forwarded",
            "proxy-authorization",
        ],
    )
    async def test_passes_a_header_on(self, name: str) -> None:
        question = await ask(Presented(headers={name: "y"}))
        assert question.data["request_headers"] == {name: "y"}

    async def test_is_asked_anew_each_time(self) -> None:
        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            assert [await judge(authenticator) for _ in range(3)] == [tenant()] * 3
        assert service.visits == [ASKED] * 3

    async def test_is_signed_with_the_key_of_the_moment(self) -> None:
        service = AuthenticationService()
        keys = usual_keys()
        async with (
            service.running(),
            asking(service.url, signing_key=lambda: keys.signing) as authenticator,
        ):
            assert await judge(authenticator) == tenant()
            service.keys = keys = KeyPair.made("EdDSA")
            assert await judge(authenticator) == tenant()
        assert [question.token_header["alg"] for question in service.questions] == [
            "ES256",
            "EdDSA",
        ]

    async def test_brings_no_cookies_back(self) -> None:
        async def set_cookie(_: Question) -> web.StreamResponse:
            return web.Response(body=GOOD, headers={"Set-Cookie": "s3cret=1"})

        service = AuthenticationService(respond=set_cookie)
        async with service.running():
            named = service.url.replace("127.0.0.1", "localhost")  # cookies are for names alone
            async with asking(named) as authenticator:
                assert [await judge(authenticator) for _ in range(2)] == [tenant()] * 2
        assert "cookie" not in service.questions[-1].headers


class TestNoQuestion:
    async def test_is_asked_where_nothing_was_shown(self) -> None:
        def show_nothing() -> Credential:
            raise LookupError

        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            with pytest.raises(LookupError):
                await authenticator.authenticate(show_nothing)
        assert service.visits == []

    async def test_is_asked_where_the_body_cannot_be_had(self) -> None:
        class Bodiless(Presented):
            @override
            async def body(self) -> Mapping[str, object]:
                raise LookupError

        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            with pytest.raises(LookupError):
                await authenticator.authenticate(showing("token", Bodiless()))
        assert service.visits == []
