import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
from aiohttp import web

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.demo import DEMO, demo_room_gateway
from domain.caller import IdentifiedCaller
from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    AuthRequest,
    ByteService,
)
from tests.adapters.identity.cases.service_responses import ENDLESS, RESPONSES, UNAVAILABLE
from tests.entrypoints.http.delegated import (
    ACCEPT,
    AUTHORIZATION,
    BEARER,
    ERRORS,
    JSON,
    MUTE_BODY,
    REFUSE,
    TOKEN,
    CountingGateway,
    FailingGateway,
    SlowAuthenticator,
    expected_outcome,
    mute,
    request_head,
    responds_with,
    serving,
)
from tests.support.connection_handlers import hangs
from tests.support.service import DEMO_REQUEST, MUTE, running_service


class TestResponse:
    @pytest.mark.parametrize("allow_no_id", [False, True], ids=["id required", "id optional"])
    async def test_decides(
        self, rooms: CountingGateway, allow_no_id: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        wrong = {}
        auth_service = ByteService(handle=hangs())
        async with (
            auth_service.running(),
            serving(auth_service, rooms, allow_no_id=allow_no_id) as service,
        ):
            for name, response in RESPONSES.items():
                auth_service.handle = response.handle
                expected = response.expected(allow_no_id=allow_no_id)
                owner = expected.id if isinstance(expected, IdentifiedCaller) else "tenant-a"
                rooms.rooms.put_room(DEMO.participant.room, metadata=json.dumps({"auth_id": owner}))
                found = await mute(service, rooms)
                if found != expected_outcome(expected):
                    wrong[name] = found
        assert wrong == {}
        assert auth_service.connections == len(RESPONSES)
        assert not caplog.records

    async def test_is_awaited_until_the_timeout(self, rooms: CountingGateway) -> None:
        outcomes = {}
        auth_service = ByteService(handle=hangs())
        async with auth_service.running(), serving(auth_service, rooms, timeout_s=0.1) as service:
            for name, response in ENDLESS.items():
                auth_service.handle = response.handle
                outcomes[name] = await mute(service, rooms)
        assert outcomes == dict.fromkeys(ENDLESS, ERRORS[UNAVAILABLE])

    async def test_limits_a_tenant_to_its_own_rooms(self, rooms: CountingGateway) -> None:
        auth_service = AuthenticationService(respond=responds_with({"id": "other"}))
        async with auth_service.running(), serving(auth_service, rooms) as service:
            outcome = await mute(service, rooms)
        assert outcome == (404, "ROOM_NOT_FOUND", "other", ("get_room",))

    async def test_that_refuses_gives_the_usual_401(self, rooms: CountingGateway) -> None:
        auth_service = AuthenticationService(respond=REFUSE)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            answer = await service.mute(token=TOKEN)
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json["error"] == "the token is not valid"
        [event] = service.events
        assert event["source"] == "authentication-service"
        assert not {"caller_id", "credential"} & event.keys()


class TestRequestToService:
    async def test_contains_the_request(self, rooms: CountingGateway) -> None:
        auth_service = AuthenticationService(respond=ACCEPT)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            answer = await service.ask(
                "POST", f"{MUTE}?api_key={TOKEN}&x=s3cret", data=MUTE_BODY, headers=JSON
            )
        assert answer.status == 200
        data = dict(auth_service.requests[0].data)
        headers = data.pop("request_headers")
        assert data == {
            "token": TOKEN,
            "request_body": DEMO_REQUEST,
            "request_path": MUTE,
            "request_method": "POST",
        }
        assert headers["content-type"] == "application/json"
        assert "s3cret" not in str(headers)

    async def test_contains_headers_by_name_in_lower_case(self, rooms: CountingGateway) -> None:
        hidden = ["AUTHORIZATION: Bearer s3cret", "Cookie: s3cret", "hOST: s3cret"]
        hidden += ["X-Real-IP: s3cret", "X-FORWARDED-For: s3cret", "X-Sayna-Id: s3cret"]
        forwarded = ["X-One: a", "x-one: b", "X-ONE: \u00fc", "X-Request-ID: r"]
        head = [f"POST {MUTE} HTTP/1.1", "Connection: close", *hidden, *forwarded]
        head += ["Content-Type: application/json", "Content-Length: 2", "X-Bytes: \xff", "", "{}"]
        auth_service = AuthenticationService(respond=ACCEPT)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            await service.send("\r\n".join(head).encode("latin-1"), path=MUTE)
        [sent] = auth_service.requests
        assert sent.data["request_headers"] == {
            "connection": "close",
            "content-length": "2",
            "content-type": "application/json",
            "x-bytes": "\ufffd",
            "x-one": "a, b, \ufffd",
            "x-request-id": "r",
        }


class TestDisconnectedClient:
    async def test_changes_nothing(self, rooms: CountingGateway) -> None:
        auth_service = ByteService(handle=hangs())
        async with auth_service.running(), serving(auth_service, rooms, timeout_s=0.2) as service:
            _, writer = await asyncio.open_connection(service.url.host, service.url.port)
            writer.write(
                request_head(AUTHORIZATION, "Content-Type: application/json", "Content-Length: 2")
                + b"{}"
            )
            while not auth_service.connections:  # noqa: ASYNC110 - caused over a socket
                await asyncio.sleep(0.01)
            writer.close()
            await writer.wait_closed()
            while not service.events:  # noqa: ASYNC110 - caused by another task
                await asyncio.sleep(0.01)
        assert service.events[-1]["code"] == "AUTH_SERVICE_UNAVAILABLE"
        assert rooms.calls == []


async def slow_body(pause_s: float) -> AsyncIterator[bytes]:
    yield MUTE_BODY[:9]
    await asyncio.sleep(pause_s)
    yield MUTE_BODY[9:]


class TestDeadline:
    async def test_limits_authentication(self, rooms: CountingGateway) -> None:
        limits = Limits(leave_delay_s=0, request_timeout_s=1.0)
        auth_service = ByteService(handle=hangs())
        async with (
            auth_service.running(),
            serving(auth_service, rooms, limits=limits, timeout_s=3600) as service,
        ):
            assert await mute(service, rooms) == ERRORS[UNAVAILABLE]
            reason = "authentication service: no answer before the deadline"
            assert service.events[-1]["reason"] == reason

    async def test_of_livekit_includes_authentication(self) -> None:
        async def accept_slowly(request: AuthRequest) -> web.StreamResponse:
            await asyncio.sleep(0.3)
            return await ACCEPT(request)

        limits = Limits(leave_delay_s=0, request_timeout_s=3600)
        auth_service = AuthenticationService(respond=accept_slowly)
        rooms = FailingGateway(demo_room_gateway().rooms)
        async with auth_service.running(), serving(auth_service, rooms, limits=limits) as service:
            answer = await service.mute(token=TOKEN)
        assert answer.outcome == (500, "LIVEKIT_UNAVAILABLE")
        assert 0 < rooms.left_s[0] <= 3600 - 0.3

    async def test_of_livekit_includes_the_wait_for_the_body(self) -> None:
        rooms = FailingGateway(demo_room_gateway().rooms)
        async with running_service(
            open_gateway=lambda: nullcontext(rooms),
            open_authenticator=lambda: nullcontext(SlowAuthenticator(delay_s=0.3)),
            limits=Limits(leave_delay_s=0, request_timeout_s=3600),
            timeout_s=3600,
        ) as service:
            answer = await service.ask("POST", MUTE, data=slow_body(1.0), headers=JSON | BEARER)
        assert answer.outcome == (500, "LIVEKIT_UNAVAILABLE")
        assert 0 < rooms.left_s[0] <= 3600 - 0.7  # authentication alone takes 0.3 s

    async def test_limits_the_wait_for_the_body(self, rooms: CountingGateway) -> None:
        limits = Limits(leave_delay_s=0, body_timeout_s=3600, request_timeout_s=0.2)
        async with running_service(
            open_gateway=lambda: nullcontext(rooms),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
            limits=limits,
        ) as service:
            answer = await service.ask("POST", MUTE, data=slow_body(3600), headers=JSON)
        assert answer.outcome == (408, "REQUEST_TIMEOUT")
        assert not rooms.calls
