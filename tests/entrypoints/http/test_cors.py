"""Programs in browsers, on pages of other origins: what they may read, and what they may send."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import nullcontext
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from attrs import evolve
from pytest_aiohttp import AiohttpClient

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.rates.moving_window import MovingWindow
from application.room_access import RoomAccess
from domain.rate import Rate
from entrypoints.http.app import create_app
from entrypoints.http.observers.audit_trail import audit_trail
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve, patient
from tests.entrypoints.http.held import HeldGateway, begin_mute
from tests.entrypoints.http.observers.failing import FaultyGateway
from tests.support.command import Run
from tests.support.hand_set_clock import HandSetClock
from tests.support.service import DEMO_REQUEST, MUTE, QUICK, Answer, Service

PAGE = "https://app.example.com"
OTHER_PAGE = "http://localhost:5173"
PAGES = frozenset({PAGE, OTHER_PAGE})
STRANGER = "https://app.example.com.evil.example"
NOT_ALLOWED = (405, "METHOD_NOT_ALLOWED")
TO_READ = {
    "Vary": "Origin",
    "Access-Control-Allow-Origin": PAGE,
    "Access-Control-Expose-Headers": "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy",
}
TO_SEND = {
    **TO_READ,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID, traceparent,"
    " tracestate",
    "Access-Control-Max-Age": "600",
}
BODY = json.dumps(DEMO_REQUEST).encode()
ENDS = "Connection: close"
JSON = ("Content-Type: application/json", f"Content-Length: {len(BODY)}")
TOKEN = f"Authorization: Bearer {DEMO_TOKEN}"
ID = "X-Request-ID: the-same"


def head(*lines: str, method: str = "POST", path: str = MUTE, host: str = "Host: x") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", host, *lines, ENDS, "", ""]).encode()


def preflight(origin: str, path: str = MUTE, method: str = "POST") -> bytes:
    asked = f"Access-Control-Request-Method: {method}"
    wanted = "Access-Control-Request-Headers: authorization,content-type"
    return head(f"Origin: {origin}", asked, wanted, method="OPTIONS", path=path)


async def ask(service: Service, request: bytes) -> Answer:
    """Send a request in one part, of which the answer need not be one of the document."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    writer.write(request)
    received, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *lines = received.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines), f"a header is given twice: {lines}"
    return Answer(status=int(status.split()[1]), headers=headers, body=body)


def of_cors(answer: Answer) -> Mapping[str, str]:
    headers = answer.headers.items()
    return {name: text for name, text in headers if name.startswith(("Access-", "Vary"))}


def without(answer: Answer, *names: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return all of an answer but these headers, and the time."""
    others = {name: text for name, text in answer.headers.items() if name not in ("Date", *names)}
    return answer.status, others, answer.body


@pytest.fixture
async def service(serve: Serve, api_secrets: ApiSecretsAuthenticator) -> Service:
    return await serve(authenticator=api_secrets, allowed_origins=PAGES)


class TestOff:
    async def test_answers_are_those_of_a_client_that_is_no_browser(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator, service: Service
    ) -> None:
        off = await serve(authenticator=api_secrets)
        origin = f"Origin: {STRANGER}"
        asked = "Access-Control-Request-Method: POST"
        for lines, body, method in [
            ((), b"", "GET"),
            ((asked,), b"", "OPTIONS"),
            (JSON, BODY, "POST"),
            ((TOKEN, *JSON), BODY, "POST"),
            ((TOKEN, "Expect: x"), b"", "POST"),
        ]:
            plain = await ask(off, head(ID, *lines, method=method) + body)
            of_page = await ask(off, head(ID, origin, *lines, method=method) + body)
            of_stranger = await ask(service, head(ID, origin, *lines, method=method) + body)
            assert of_cors(plain) == {}
            assert without(of_page) == without(plain) == without(of_stranger, "Vary")

    async def test_a_preflight_has_no_reason(self, serve: Serve) -> None:
        off = await serve()
        assert (await ask(off, preflight(PAGE))).outcome == NOT_ALLOWED
        assert "reason" not in off.events[-1]


class TestAPreflight:
    @pytest.mark.parametrize("origin", sorted(PAGES))
    async def test_of_an_allowed_origin_says_what_may_be_sent(
        self, service: Service, origin: str
    ) -> None:
        answer = await ask(service, preflight(origin))
        assert (answer.status, answer.body) == (204, b"")
        assert of_cors(answer) == {**TO_SEND, "Access-Control-Allow-Origin": origin}
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Length" not in answer.headers

    async def test_names_the_methods_of_the_path(self, service: Service) -> None:
        for path, methods in {MUTE: "POST", "/livez": "GET, HEAD"}.items():
            answer = await ask(service, preflight(PAGE, path, method="DELETE"))
            assert answer.headers["Access-Control-Allow-Methods"] == methods

    async def test_of_an_unknown_path_is_404(self, service: Service) -> None:
        assert (await ask(service, preflight(PAGE, "/x"))).outcome == (404, "NOT_FOUND")

    @pytest.mark.parametrize(
        "origin",
        [
            STRANGER,
            "null",
            "http://app.example.com",
            "https://APP.example.com",
            "https://app.example.com:443",
            f"{PAGE}, {OTHER_PAGE}",
            "*",
            "",
        ],
    )
    async def test_of_any_other_origin_is_what_it_was(self, service: Service, origin: str) -> None:
        answer = await ask(service, preflight(origin))
        assert answer.outcome == NOT_ALLOWED
        assert answer.headers["Allow"] == "POST"
        assert of_cors(answer) == {"Vary": "Origin"}
        reason = f"the origin {origin!a} is not in CORS_ALLOWED_ORIGINS"
        assert service.events[-1]["reason"] == reason

    async def test_has_no_long_or_foreign_text_in_the_log(self, service: Service) -> None:
        await ask(service, preflight("é" * 300))
        origin = ascii("é" * 256)
        reason = f"the origin {origin} is not in CORS_ALLOWED_ORIGINS"
        assert service.events[-1]["reason"] == reason

    async def test_is_one_only_if_it_asks_for_a_method_by_options(self, service: Service) -> None:
        asked = "Access-Control-Request-Method: POST"
        for method, lines in {"OPTIONS": (), "PUT": (asked,)}.items():
            answer = await ask(service, head(f"Origin: {PAGE}", *lines, method=method))
            assert answer.outcome == NOT_ALLOWED
            assert of_cors(answer) == TO_READ
            assert "reason" not in service.events[-1]

    async def test_has_to_be_well_formed(self, service: Service) -> None:
        request = preflight(PAGE).replace(b"Host: x", b"Host: a/b")
        assert (await ask(service, request)).outcome == (400, "INVALID_REQUEST")

    async def test_is_logged_and_not_in_the_audit_trail(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        trail: list[dict[str, object]] = []
        service = await serve(
            authenticator=api_secrets, allowed_origins=PAGES, observers=[audit_trail(trail.append)]
        )
        await ask(service, preflight(PAGE))
        event = service.events[-1]
        assert (event["method"], event["path"], event["status"]) == ("OPTIONS", MUTE, 204)
        assert (event["code"], event["log_level"]) == ("OK", "info")
        assert trail == []

    async def test_is_neither_limited_nor_a_failed_authentication(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        window = MovingWindow(rate=Rate(quota=1, window_s=60), clock=HandSetClock())
        service = await serve(
            authenticator=api_secrets, failure_limiter=window, allowed_origins=PAGES
        )
        for _ in range(3):
            assert (await ask(service, preflight(PAGE))).status == 204
        assert [(await service.mute(token="wrong")).status for _ in range(2)] == [401, 429]
        assert (await ask(service, preflight(PAGE))).status == 204

    async def test_is_answered_while_requests_are_rejected(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(
            other_gateway=held, limits=patient(max_in_flight=1), allowed_origins=PAGES
        )
        first = await begin_mute(service, held)
        assert (await ask(service, preflight(PAGE))).status == 204
        answer = await ask(service, head(f"Origin: {PAGE}", *JSON) + BODY)
        assert answer.outcome == (503, "OVERLOADED")
        assert of_cors(answer) == TO_READ
        assert (await ask(service, preflight(STRANGER))).outcome == (503, "OVERLOADED")
        held.released.set()
        assert (await first).status == 200


class TestAResponse:
    CASES: Mapping[str, tuple[bytes, tuple[int, str]]] = {
        "a field is missing": (
            head(f"Origin: {PAGE}", TOKEN, "Content-Type: application/json", "Content-Length: 2")
            + b"{}",
            (400, "INVALID_REQUEST"),
        ),
        "no token": (head(f"Origin: {PAGE}", *JSON) + BODY, (401, "UNAUTHORIZED")),
        "another tenant": (
            head(f"Origin: {PAGE}", f"Authorization: Bearer {OTHER_TOKEN}", *JSON) + BODY,
            (404, "ROOM_NOT_FOUND"),
        ),
        "unknown path": (head(f"Origin: {PAGE}", path="/x"), (404, "NOT_FOUND")),
        "wrong method": (head(f"Origin: {PAGE}", method="PUT"), NOT_ALLOWED),
        "another type": (head(f"Origin: {PAGE}", TOKEN), (415, "UNSUPPORTED_MEDIA_TYPE")),
        "an expectation": (
            head(f"Origin: {PAGE}", "Expect: x", path="/x"),
            (400, "INVALID_REQUEST"),
        ),
        "an invalid host": (
            head(f"Origin: {PAGE}", host="Host: a/b"),
            (400, "INVALID_REQUEST"),
        ),
    }

    @pytest.mark.parametrize("case", CASES)
    async def test_to_an_error_can_be_read(self, service: Service, case: str) -> None:
        request, outcome = self.CASES[case]
        answer = await ask(service, request)
        assert (answer.outcome, of_cors(answer)) == (outcome, TO_READ)

    @pytest.mark.parametrize(
        ("length", "outcome"),
        [(100, (408, "REQUEST_TIMEOUT")), (10**8, (413, "PAYLOAD_TOO_LARGE"))],
    )
    async def test_to_a_body_that_is_not_read_can_be_read(
        self, serve: Serve, length: int, outcome: tuple[int, str]
    ) -> None:
        service = await serve(limits=evolve(QUICK, body_timeout_s=0.05), allowed_origins=PAGES)
        answer = await ask(service, head(f"Origin: {PAGE}", JSON[0], f"Content-Length: {length}"))
        assert (answer.outcome, of_cors(answer)) == (outcome, TO_READ)

    async def test_to_a_success_can_be_read(self, service: Service) -> None:
        answer = await ask(service, head(f"Origin: {PAGE}", TOKEN, *JSON) + BODY)
        assert (answer.status, answer.json, of_cors(answer)) == (200, DEMO_REQUEST, TO_READ)

    async def test_to_too_many_requests_can_be_read(self, serve: Serve) -> None:
        window = MovingWindow(rate=Rate(quota=1, window_s=60), clock=HandSetClock())
        window.add("127.0.0.1")
        service = await serve(failure_limiter=window, allowed_origins=PAGES)
        answer = await ask(service, head(f"Origin: {PAGE}"))
        assert (answer.outcome, of_cors(answer)) == ((429, "RATE_LIMITED"), TO_READ)
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= answer.headers.keys()

    async def test_to_a_bug_of_ours_can_be_read(
        self, serve: Serve, gateway: InMemoryRoomGateway
    ) -> None:
        faulty = FaultyGateway(gateway.rooms, ZeroDivisionError())
        service = await serve(other_gateway=faulty, allowed_origins=PAGES)
        answer = await ask(service, head(f"Origin: {PAGE}", *JSON) + BODY)
        assert (answer.outcome, of_cors(answer)) == ((500, "INTERNAL_ERROR"), TO_READ)

    async def test_beyond_the_limit_of_connections_can_be_read(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_connections=1), allowed_origins=PAGES)
        _, first = await asyncio.open_connection(service.url.host, service.url.port)
        while not service.traffic.connections:  # noqa: ASYNC110 - the service's
            await asyncio.sleep(0.005)
        answer = await ask(service, head(f"Origin: {PAGE}", *JSON) + BODY)
        assert (answer.outcome, of_cors(answer)) == ((503, "OVERLOADED"), TO_READ)
        assert (await ask(service, preflight(PAGE))).status == 204
        first.close()
        await first.wait_closed()

    async def test_to_what_cannot_be_parsed_cannot_be_read(self, service: Service) -> None:
        answer = await ask(service, head(f"Origin: {PAGE}", f"X: {'x' * 9000}"))
        assert (answer.outcome, of_cors(answer)) == ((400, "INVALID_REQUEST"), {})

    async def test_to_other_origins_and_to_none_cannot_be_read(self, service: Service) -> None:
        for lines in ((), (f"Origin: {STRANGER}",), ("Origin: null",)):
            answer = await ask(service, head(*lines, TOKEN, *JSON) + BODY)
            assert (answer.status, of_cors(answer)) == (200, {"Vary": "Origin"})

    async def test_to_a_page_does_not_tell_whether_a_room_exists(self, service: Service) -> None:
        answers = []
        for room in ("demo-room", "no-room", "é" * 9):
            body = json.dumps({**DEMO_REQUEST, "room_name": room}).encode()
            lines = (f"Authorization: Bearer {OTHER_TOKEN}", f"Content-Length: {len(body)}")
            request = head(f"Origin: {PAGE}", ID, JSON[0], *lines) + body
            answers.append(without(await ask(service, request)))
        assert answers[0] == answers[1] == answers[2]


async def test_an_application_around_it_shares_nothing_of_its_own(
    aiohttp_client: AiohttpClient,
) -> None:
    app = web.Application()
    inner = create_app(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=3600),
        allowed_origins=PAGES,
    )
    app.add_subapp("/conference", inner)
    client = await aiohttp_client(app)
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    async with client.options(f"/conference{MUTE}", headers=headers) as response:
        assert (response.status, TO_SEND.items() <= dict(response.headers).items()) == (204, True)
    async with client.post(f"/conference{MUTE}", headers=headers, json=DEMO_REQUEST) as response:
        assert (response.status, TO_READ.items() <= dict(response.headers).items()) == (200, True)
    async with client.get("/", headers=headers) as response:
        assert (response.status, "Vary" in response.headers) == (404, False)


def asked(url: str, method: str, path: str) -> tuple[int, str | None]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Access-Control-Allow-Origin"]
    finally:
        connection.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_takes_it_from_its_setting(start: Run, workers: str) -> None:
    running = start(
        *("--gateway", "in-memory"),
        AUTH_REQUIRED="false",
        CORS_ALLOWED_ORIGINS=f"{OTHER_PAGE}, {PAGE}",
        METRICS_PORT="0",
        WORKERS=workers,
    )
    for _ in range(4):
        assert asked(running.url, "OPTIONS", MUTE) == (204, PAGE)
    assert asked(running.url, "GET", "/openapi.json") == (200, PAGE)
