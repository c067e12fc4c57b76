"""What is found where nothing, or something less common, is wrong."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from yarl import URL

from adapters.http_client.way import closed_addresses
from contract.livekit_answers import Answer, twirp_error
from contract.livekit_double import LiveKitDouble
from entrypoints.check.finding import Verdict
from entrypoints.check.way import port_finding
from entrypoints.settings.settings import load_settings
from tests.adapters.identity.cases.key_set_server import IssuerKey, key_set_server, rsa_key
from tests.entrypoints.check.conftest import found
from tests.support.server_process import free_ports

ServeDate = Callable[[Callable[[], str]], Awaitable[str]]


@pytest.fixture
def serve_date(aiohttp_server: AiohttpServer) -> ServeDate:
    """Start servers that answer with a date of the test's, which is made for each answer."""

    async def serve(date: Callable[[], str]) -> str:
        async def tell(_: web.Request) -> web.Response:
            return web.Response(headers={"Date": date()})

        app = web.Application()
        app.router.add_get("/", tell)
        return str((await aiohttp_server(app)).make_url("/"))

    return serve


class TestLiveKit:
    async def test_is_called_twice_and_no_room_is_touched(
        self, double: LiveKitDouble, variables: Mapping[str, str]
    ) -> None:
        checks = await found(load_settings(variables))
        assert {name: each.verdict for name, each in checks.items()} == {
            "settings": "ok",
            "livekit dns": "ok",
            "livekit tcp": "ok",
            "livekit tls": "ok",
            "livekit clock": "ok",
            "livekit key": "ok",
            "livekit grants": "ok",
            "livekit version": "unknown",
            "remote unmute": "unknown",
            "api secrets": "ok",
        }
        assert double.calls == {"ListRooms": 1, "GetParticipant": 1}
        assert checks["api secrets"].text == "1 secret of 1 tenant"

    @pytest.mark.parametrize(
        ("ahead_s", "verdict", "text"),
        [
            (0, "ok", r"the same as that of the server at LIVEKIT_URL, to a second|this .* 2 s .*"),
            (
                -7200,
                "failed",
                r"this machine's is (7199|7200|7201) s ahead of that of the server at LIVEKIT_URL",
            ),
            (
                7200,
                "failed",
                r"this machine's is (7199|7200|7201) s behind that of the server at LIVEKIT_URL",
            ),
            (
                30,
                "warning",
                r"this machine's is (29|30|31) s behind that of the server at LIVEKIT_URL",
            ),
        ],
    )
    async def test_tells_the_difference_of_the_clocks(
        self,
        variables: Mapping[str, str],
        serve_date: ServeDate,
        *,
        ahead_s: int,
        verdict: str,
        text: str,
    ) -> None:
        url = await serve_date(lambda: formatdate(time.time() + ahead_s, usegmt=True))
        clock = (await found(load_settings({**variables, "LIVEKIT_URL": url})))["livekit clock"]
        assert clock.verdict == verdict
        assert re.fullmatch(text, clock.text)

    async def test_blames_the_clocks_for_a_token_of_another_time(
        self, double: LiveKitDouble, variables: Mapping[str, str]
    ) -> None:
        double.wall_clock = lambda: time.time() + 7200
        key = (await found(load_settings(variables)))["livekit key"]
        assert key.verdict is Verdict.FAILED
        assert "Set both clocks" in key.remedy

    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (twirp_error("unauthenticated", "permissions denied"), "failed"),
            (twirp_error("unavailable", "no response from servers"), "unknown"),
            (twirp_error("not_found"), "ok"),
        ],
    )
    async def test_tells_whether_the_grants_are_sufficient(
        self, double: LiveKitDouble, variables: Mapping[str, str], answer: Answer, verdict: str
    ) -> None:
        double.fail_next("GetParticipant", answer)
        checks = await found(load_settings(variables))
        assert checks["livekit grants"].verdict == verdict

    @pytest.mark.parametrize("date", ["noon", "Mon, 01 Jan 99999999999 00:00:00 GMT"])
    async def test_does_not_guess_the_time_where_none_is_told(
        self, variables: Mapping[str, str], serve_date: ServeDate, date: str
    ) -> None:
        settings = load_settings({**variables, "LIVEKIT_URL": await serve_date(lambda: date)})
        assert (await found(settings))["livekit clock"].verdict is Verdict.UNKNOWN

    async def test_is_not_asked_where_its_settings_are_missing(self) -> None:
        checks = await found(load_settings({"AUTH_REQUIRED": "false"}))
        assert {name: each.verdict for name, each in checks.items()} == {
            "settings": "warning",
            "livekit": "failed",
        }


class TestPort:
    async def test_of_each_address_is_tried(self, aiohttp_server: AiohttpServer) -> None:
        port = (await aiohttp_server(web.Application())).port
        url, addresses = URL(f"ws://livekit.example.com:{port}"), ["127.0.0.1", "127.0.0.2"]
        closed = await closed_addresses(url, addresses, timeout_s=3600)
        assert closed == {"127.0.0.2": "connection refused"}
        finding = port_finding(url, addresses, closed)
        assert finding.verdict is Verdict.WARNING
        assert finding.text == f"port {port} at 127.0.0.2: connection refused"


class TestKeySet:
    async def test_tells_which_keys_are_used_and_why_others_are_not(
        self, variables: Mapping[str, str]
    ) -> None:
        encrypts = IssuerKey("c", more={"use": "enc"})
        async with key_set_server() as issuer:
            issuer.published = [IssuerKey("a"), rsa_key("b"), encrypts]
            checks = await found(load_settings({**variables, "AUTH_JWKS_URL": issuer.url}))
        assert checks["key set"].text == (
            "used: a (ES256); b (RS256, PS256); not used: kid 'c': use is not sig"
        )

    async def test_is_red_without_a_usable_key(self, variables: Mapping[str, str]) -> None:
        async with key_set_server() as issuer:
            issuer.published = []
            checks = await found(load_settings({**variables, "AUTH_JWKS_URL": issuer.url}))
        assert checks["key set"].verdict is Verdict.FAILED

    async def test_of_a_file_is_told_too(
        self, variables: Mapping[str, str], public_key: str
    ) -> None:
        settings = load_settings({**variables, "AUTH_JWT_PUBLIC_KEY_PATH": public_key})
        assert (await found(settings))["key set"].text == "used: #1 (EdDSA)"


class TestAuthenticationService:
    @pytest.mark.parametrize(
        ("status", "body", "verdict", "text"),
        [
            (401, b"", "ok", "refuses an invented token"),
            (200, b'{"id": "tenant-a"}', "failed", "accepts an invented token"),
            (404, b"", "failed", "status 404"),
            (200, b"{}", "failed", "response without a valid id"),
        ],
    )
    async def test_has_to_refuse_an_invented_token(  # noqa: PLR0913 - fixtures and a case
        self,
        variables: Mapping[str, str],
        signing_key: str,
        aiohttp_server: AiohttpServer,
        *,
        status: int,
        body: bytes,
        verdict: str,
        text: str,
    ) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body)

        app = web.Application()
        app.router.add_post("/auth", answer)
        url = str((await aiohttp_server(app)).make_url("/auth"))
        service = {"AUTH_SERVICE_URL": url, "AUTH_SIGNING_KEY_PATH": signing_key}
        finding = (await found(load_settings({**variables, **service})))["authentication service"]
        assert finding.verdict == verdict
        assert finding.text.startswith(text)

    async def test_is_red_where_it_is_away(
        self, variables: Mapping[str, str], signing_key: str
    ) -> None:
        url = f"http://127.0.0.1:{free_ports(1)[0]}"
        service = {"AUTH_SERVICE_URL": url, "AUTH_SIGNING_KEY_PATH": signing_key}
        finding = (await found(load_settings({**variables, **service})))["authentication service"]
        assert finding.text == f"cannot connect to {url[7:]}: connection refused"
