import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
from aiohttp import web

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.demo import DEMO, demo_room_gateway
from domain.caller import IdentifiedCaller
from entrypoints.http.limits import Limits
from tests.adapters.identity.answer_talks import stays
from tests.adapters.identity.answers import ANSWERS, UNAVAILABLE
from tests.adapters.identity.authentication_service import (
    AuthenticationService,
    ByteService,
    Question,
)
from tests.entrypoints.http.delegated import (
    BEARER,
    DENY,
    ERRORS,
    GRANT,
    JSON,
    SHOWN,
    TOKEN,
    WISH,
    CountingGateway,
    HangingGateway,
    PonderingAuthenticator,
    foretell,
    head,
    responding,
    serving,
    tell,
)
from tests.service import DEMO_WISH, MUTE, running_service

ENDING = {name: answer for name, answer in ANSWERS.items() if not answer.is_endless}
ENDLESS = {name: answer for name, answer in ANSWERS.items() if answer.is_endless}


class TestAnswer:
    @pytest.mark.parametrize("allow_no_id", [False, True], ids=["strict", "lenient"])
    async def test_decides_who_is_let_in(
        self, rooms: CountingGateway, allow_no_id: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        told, foretold = {}, {}
        authority = ByteService(talk=stays())
        async with (
            authority.running(),
            serving(authority, rooms, allow_no_id=allow_no_id) as service,
        ):
            for name, answer in ENDING.items():
                authority.talk = answer.talk
                verdict = answer.lenient if allow_no_id else answer.verdict
                owner = verdict.id if isinstance(verdict, IdentifiedCaller) else "tenant-a"
                rooms.rooms.put_room(DEMO.participant.room, metadata=json.dumps({"auth_id": owner}))
                told[name] = await tell(service, rooms)
                foretold[name] = foretell(verdict)
        assert told == foretold
        assert authority.connections == len(ENDING)
        assert not caplog.records

    async def test_is_not_waited_for_without_end(self, rooms: CountingGateway) -> None:
        told = {}
        authority = ByteService(talk=stays())
        async with authority.running(), serving(authority, rooms, timeout_s=0.1) as service:
            for name, answer in ENDLESS.items():
                authority.talk = answer.talk
                told[name] = await tell(service, rooms)
        assert told == {name: foretell(answer.verdict) for name, answer in ENDLESS.items()}

    async def test_lets_a_tenant_into_no_room_but_its_own(self, rooms: CountingGateway) -> None:
        authority = AuthenticationService(respond=responding({"id": "other"}))
        async with authority.running(), serving(authority, rooms) as service:
            told = await tell(service, rooms)
        assert told == (404, "ROOM_NOT_FOUND", "other", ("get_room",))

    async def test_that_refuses_is_told_as_any_refusal(self, rooms: CountingGateway) -> None:
        authority = AuthenticationService(respond=DENY)
        async with authority.running(), serving(authority, rooms) as service:
            answer = await service.mute(token=TOKEN)
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json["error"] == "the token is not valid"


class TestQuestion:
    async def test_tells_of_the_request(self, rooms: CountingGateway) -> None:
        authority = AuthenticationService(respond=GRANT)
        async with authority.running(), serving(authority, rooms) as service:
            answer = await service.ask(
                "POST", f"{MUTE}?api_key={TOKEN}&x=s3cret", data=WISH, headers=JSON
            )
        assert answer.status == 200
        data = dict(authority.questions[0].data)
        headers = data.pop("request_headers")
        assert data == {
            "token": TOKEN,
            "request_body": DEMO_WISH,
            "request_path": MUTE,
            "request_method": "POST",
        }
        assert headers["content-type"] == "application/json"
        assert "s3cret" not in str(headers)

    async def test_tells_of_headers_by_name_in_lower_case(self, rooms: CountingGateway) -> None:
        kept_back = ["AUTHORIZATION: Bearer s3cret", "Cookie: s3cret", "hOST: s3cret"]
        kept_back += ["X-Real-IP: s3cret", "X-FORWARDED-For: s3cret", "X-Sayna-Id: s3cret"]
        passed_on = ["X-One: a", "x-one: b", "X-ONE: \u00fc", "X-Request-ID: r"]
        head = [f"POST {MUTE} HTTP/1.1", "Connection: close", *kept_back, *passed_on]
        head += ["Content-Type: application/json", "Content-Length: 2", "X-Bytes: \xff", "", "{}"]
        authority = AuthenticationService(respond=GRANT)
        async with authority.running(), serving(authority, rooms) as service:
            await service.send("\r\n".join(head).encode("latin-1"), path=MUTE)
        [question] = authority.questions
        assert question.data["request_headers"] == {
            "connection": "close",
            "content-length": "2",
            "content-type": "application/json",
            "x-bytes": "\ufffd",
            "x-one": "a, b, \ufffd",
            "x-request-id": "r",
        }


class TestClient:
    async def test_that_goes_changes_nothing(self, rooms: CountingGateway) -> None:
        authority = ByteService(talk=stays())
        async with authority.running(), serving(authority, rooms, timeout_s=0.2) as service:
            _, writer = await asyncio.open_connection(service.url.host, service.url.port)
            writer.write(head(SHOWN, "Content-Type: application/json", "Content-Length: 2") + b"{}")
            while not authority.connections:  # noqa: ASYNC110 - it comes over a socket
                await asyncio.sleep(0.01)
            writer.close()
            await writer.wait_closed()
            while not service.events:  # noqa: ASYNC110 - it comes from another task
                await asyncio.sleep(0.01)
        assert service.events[-1]["code"] == "AUTH_SERVICE_UNAVAILABLE"
        assert rooms.calls == []


async def slow_body(pause_s: float) -> AsyncIterator[bytes]:
    yield WISH[:9]
    await asyncio.sleep(pause_s)
    yield WISH[9:]


class TestDeadline:
    async def test_bounds_authentication(self, rooms: CountingGateway) -> None:
        limits = Limits(leaving_s=0, request_timeout_s=0.2)
        authority = ByteService(talk=stays())
        async with (
            authority.running(),
            serving(authority, rooms, limits=limits, timeout_s=3600) as service,
        ):
            assert await tell(service, rooms) == ERRORS[UNAVAILABLE]
            assert "did not answer in time" in service.events[-1]["reason"]

    async def test_leaves_the_rooms_what_authentication_left(self) -> None:
        async def ponder(question: Question) -> web.StreamResponse:
            await asyncio.sleep(0.3)
            return await GRANT(question)

        limits = Limits(leaving_s=0, request_timeout_s=3.0)
        authority = AuthenticationService(respond=ponder)
        rooms = HangingGateway(demo_room_gateway().rooms)
        async with authority.running(), serving(authority, rooms, limits=limits) as service:
            answer = await service.mute(token=TOKEN)
        assert answer.told == (500, "LIVEKIT_UNAVAILABLE")
        assert 0 < rooms.left_s[0] <= 2.7

    async def test_runs_before_the_body_and_while_it_is_waited_for(self) -> None:
        rooms = HangingGateway(demo_room_gateway().rooms)
        async with running_service(
            open_gateway=lambda: nullcontext(rooms),
            open_authenticator=lambda: nullcontext(PonderingAuthenticator(ponders_s=0.3)),
            limits=Limits(leaving_s=0, request_timeout_s=3.0),
            deadline_s=3600,
        ) as service:
            answer = await service.ask("POST", MUTE, data=slow_body(0.5), headers=JSON | BEARER)
        assert answer.told == (500, "LIVEKIT_UNAVAILABLE")
        assert 0 < rooms.left_s[0] <= 2.5

    async def test_bounds_the_wait_for_the_body(self, rooms: CountingGateway) -> None:
        limits = Limits(leaving_s=0, body_timeout_s=3600, request_timeout_s=0.2)
        async with running_service(
            open_gateway=lambda: nullcontext(rooms),
            open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
            limits=limits,
        ) as service:
            answer = await service.ask("POST", MUTE, data=slow_body(3600), headers=JSON)
        assert answer.told == (408, "REQUEST_TIMEOUT")
        assert not rooms.calls
