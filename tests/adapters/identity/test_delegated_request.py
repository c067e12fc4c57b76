import asyncio
import time

import pytest
from aiohttp import web

from adapters.http_client.client import HttpClient
from adapters.identity.delegated import DelegatedAuthenticator
from tests.adapters.identity.cases.authentication_service import (
    GOOD,
    MAKE_KEY,
    AuthenticationService,
    AuthRequest,
    ByteService,
    KeyPair,
    usual_keys,
)
from tests.adapters.identity.cases.delegated_client import authenticate, open_client
from tests.adapters.identity.cases.raw_responses import http
from tests.adapters.identity.cases.service_responses import tenant
from tests.support.presented_request import StaticRequest

pytestmark = pytest.mark.robustness("authentication service's answers")

TARGET = "POST /auth?for=us"
TARGETS = {
    "": "/",
    "?for=us": "/?for=us",
    "/auth?": "/auth",
    "/a%2Fb/../c;d": "/c;d",
    "/a%2fb?key=a%20b+c%2B%26=&k&": "/a%2Fb?key=a%20b+c%2B%26=&k&",
    "/auth?a=%zz|[]": "/auth?a=%25zz%7C%5B%5D",
}
"""By the end of the service's URL."""
NOT_FORWARDED = (
    *("authorization", "cookie", "host", "x-real-ip", "x-forwarded-for", "x-forwarded-host"),
    *("x-forwarded-", "x-sayna-id", "x-sayna-"),
)
FORWARDED = (
    *("authorization-info", "cookies", "hostname", "x-real-ips", "x-forwarded", "x-sayna"),
    *("my-x-sayna-id", "forwarded", "proxy-authorization"),
)


async def sent_for(request: StaticRequest | None = None, *, alg: str = "ES256") -> AuthRequest:
    """Authenticate a request, and return what the service was sent."""
    service = AuthenticationService(keys=KeyPair.made(alg) if alg != "ES256" else usual_keys())
    async with (
        service.running(),
        open_client(service.url, signing_key=lambda: service.keys.signing) as client,
    ):
        assert await authenticate(client, request) == tenant()
    assert service.targets == [TARGET]
    [sent] = service.requests
    return sent


class TestRequest:
    async def test_is_a_signed_token_alone(self) -> None:
        sent = await sent_for()
        assert sent.headers["content-type"] == "application/jwt"
        assert sent.headers["accept-encoding"] == "identity"
        assert "s3cret-token" not in str(sent.headers)

    @pytest.mark.parametrize("alg", MAKE_KEY)
    async def test_is_signed_with_the_algorithm_of_its_key(self, alg: str) -> None:
        sent = await sent_for(alg=alg)
        assert sent.token_header == {"alg": alg, "typ": "JWT"}

    async def test_has_the_usual_headers_and_no_others(self) -> None:
        sent = await sent_for()
        assert {*sent.headers} == {
            *("host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"),
        }

    @pytest.mark.parametrize(("of_url", "target"), TARGETS.items())
    async def test_is_sent_to_the_host_path_and_query_of_the_url(
        self, of_url: str, target: str
    ) -> None:
        heads = []

        async def note_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(http())

        service = ByteService(handle=note_head)
        async with service.running():
            address = f"localhost:{service.port}"
            async with open_client(f"http://{address}{of_url}") as client:
                assert await authenticate(client) == tenant()
        line, host, *_ = heads[0].decode().split("\r\n")
        assert (line, host) == (f"POST {target} HTTP/1.1", f"Host: {address}")

    async def test_shows_no_query_of_the_url_in_a_repr(self) -> None:
        async with open_client("http://127.0.0.1:1/auth?key=s3cret") as client:
            assert "s3cret" not in f"{client!r} {client.client!r}"

    async def test_states_its_time_and_lifetime(self) -> None:
        service = AuthenticationService()
        async with service.running(), HttpClient(service.url, max_connections=1) as client:
            authenticator = DelegatedAuthenticator(
                client=client,
                signing_key=lambda: usual_keys().signing,
                timeout_s=3600,
                allow_no_id=False,
                clock=lambda: 1_700_000_000.9,
            )
            await authenticate(authenticator)
        [sent] = service.requests
        times = {"iat": 1_700_000_000, "exp": 1_700_000_300}
        assert {**sent.claims, "auth_data": {}} == {"sub": "sayna-auth", "auth_data": {}, **times}
        assert all(type(sent.claims[name]) is int for name in times)

    async def test_states_the_current_time(self) -> None:
        before = int(time.time())
        sent = await sent_for()
        assert before <= sent.claims["iat"] <= time.time()

    async def test_contains_the_request_to_authenticate(self) -> None:
        body = {"room_name": "r\u00fc\U0001f600", "x": [1, 1.5, None, {"y": True}], "z": 10**30}
        headers = {"user-agent": "\u00fc", "x-request-id": "1", "accept": "a, b"}
        request = StaticRequest(method="PUT", path="/else/where", headers=headers, body=body)
        assert (await sent_for(request)).data == {
            "token": "s3cret-token",
            "request_body": body,
            "request_headers": headers,
            "request_path": "/else/where",
            "request_method": "PUT",
        }

    async def test_leaves_out_headers_of_proxies_and_credentials(self) -> None:
        hidden = dict.fromkeys(NOT_FORWARDED, "s3cret")
        shown = dict.fromkeys(FORWARDED, "y")
        sent = await sent_for(StaticRequest(headers={**hidden, **shown}))
        assert sent.data["request_headers"] == shown

    async def test_is_sent_for_each_authentication(self) -> None:
        service = AuthenticationService()
        async with service.running(), open_client(service.url) as client:
            assert [await authenticate(client) for _ in range(3)] == [tenant()] * 3
        assert service.targets == [TARGET] * 3

    async def test_is_signed_with_the_current_key(self) -> None:
        service = AuthenticationService()
        keys = usual_keys()
        async with (
            service.running(),
            open_client(service.url, signing_key=lambda: keys.signing) as client,
        ):
            assert await authenticate(client) == tenant()
            service.keys = keys = KeyPair.made("EdDSA")
            assert await authenticate(client) == tenant()
        assert [sent.token_header["alg"] for sent in service.requests] == ["ES256", "EdDSA"]

    async def test_returns_no_cookies(self) -> None:
        async def set_cookie(_: AuthRequest) -> web.StreamResponse:
            return web.Response(body=GOOD, headers={"Set-Cookie": "s3cret=1"})

        service = AuthenticationService(respond=set_cookie)
        async with service.running():
            by_name = service.url.replace("127.0.0.1", "localhost")  # an address gets no cookies
            async with open_client(by_name) as client:
                assert [await authenticate(client) for _ in range(2)] == [tenant()] * 2
        assert "cookie" not in service.requests[-1].headers

    async def test_is_not_sent_without_a_token_or_body(self) -> None:
        service = AuthenticationService()
        async with service.running(), open_client(service.url) as client:
            with pytest.raises(LookupError):
                await client.authenticate(StaticRequest(token=LookupError()))
            with pytest.raises(LookupError):
                await client.authenticate(StaticRequest(body=LookupError()))
        assert service.targets == []

    async def test_reads_the_token_before_the_body(self) -> None:
        async with open_client("http://127.0.0.1:1") as client:
            with pytest.raises(LookupError):
                await client.authenticate(StaticRequest(token=LookupError(), body=OSError()))
