"""The service with an authentication service on a real socket, and gateways that record calls."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from aiohttp import web
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.delegated import open_delegated
from adapters.in_memory.demo import DEMO
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import Authenticator, Identity, PresentedRequest
from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.caller import AnonymousCaller, IdentifiedCaller
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    AuthRequest,
    ByteService,
    Respond,
    usual_keys,
)
from tests.adapters.identity.cases.service_responses import (
    REFUSED,
    UNAVAILABLE,
    UNUSABLE,
)
from tests.adapters.identity.cases.service_responses import Outcome as Authentication
from tests.support.service import DEMO_REQUEST, MUTE, Service, running_service

TOKEN = "s3cret-token"
AUTHORIZATION = f"Authorization: Bearer {TOKEN}"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
MUTE_BODY = json.dumps(DEMO_REQUEST).encode()
LIMITS = Limits(leave_delay_s=0, request_timeout_s=3600, max_body_bytes=300)

Outcome = tuple[int, str, str | None, tuple[str, ...]]
"""Status and code, the caller's id in the audit record, and the gateway's calls."""

ERRORS: Mapping[Authentication, Outcome] = {
    REFUSED: (401, "UNAUTHORIZED", None, ()),
    UNUSABLE: (502, "AUTH_SERVICE_ERROR", None, ()),
    UNAVAILABLE: (503, "AUTH_SERVICE_UNAVAILABLE", None, ()),
}


@frozen
class CountingGateway(InMemoryRoomGateway):
    calls: list[str] = field(factory=list)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        self.calls.append("get_room")
        return await super().get_room(name, deadline=deadline)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        self.calls.append("mute_track")
        return await super().mute_track(
            participant, track_sid, muted=muted, room_was_read=room_was_read, deadline=deadline
        )


@frozen
class SlowAuthenticator(Authenticator):
    """Reads the body after ``delay_s``, and accepts every request."""

    delay_s: float

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        await asyncio.sleep(self.delay_s)
        await request.body()
        return Identity(caller=AnonymousCaller(), source="test")

    @override
    async def verify_ready(self) -> None:
        """Return at once."""


@frozen
class FailingGateway(CountingGateway):
    """Fails every mute, and records the time that was left for it."""

    left_s: list[float] = field(factory=list)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        self.left_s.append(deadline - asyncio.get_running_loop().time())
        raise RoomGatewayUnavailableError(reason="test")


def serving(
    auth_service: AuthenticationService | ByteService,
    gateway: CountingGateway,
    *,
    limits: Limits = LIMITS,
    timeout_s: float = 3600.0,
    allow_no_id: bool = False,
) -> AbstractAsyncContextManager[Service]:
    return running_service(
        open_gateway=lambda: nullcontext(gateway),
        open_authenticator=lambda: open_delegated(
            url=auth_service.url,
            signing_key=lambda: usual_keys().signing,
            timeout_s=timeout_s,
            max_connections=10,
            allow_no_id=allow_no_id,
        ),
        limits=limits,
        timeout_s=3600,
    )


def responds_with(body: object, status: int = 200) -> Respond:
    async def respond(_: AuthRequest) -> web.StreamResponse:
        return web.json_response(body, status=status, headers={"X-S3cret": "s3cret"})

    return respond


ACCEPT = responds_with({"id": DEMO.tenant})
REFUSE = responds_with({"error": "s3cret"}, 401)
FAIL = responds_with({"error": "s3cret"}, 500)


async def mute(service: Service, gateway: CountingGateway) -> Outcome:
    """Request a mute; neither the token nor the response to it may be quoted anywhere."""
    gateway.calls.clear()
    answer = await service.mute(token=TOKEN)
    event = service.events[-1]
    assert "s3cret" not in f"{answer.body!r} {answer.headers} {event}"
    assert answer.json.get("code", "OK") == event["code"]
    return answer.status, event["code"], event.get("caller_id"), tuple(gateway.calls)


def expected_outcome(authentication: Authentication) -> Outcome:
    match authentication:
        case IdentifiedCaller(id=id_):
            return 200, "OK", id_, ("get_room", "mute_track")
        case AnonymousCaller():
            return 200, "OK", None, ("mute_track",)
        case error:
            return ERRORS[error]


def request_head(*lines: str, query: str = "", path: str = MUTE) -> bytes:
    return "\r\n".join([f"POST {path}{query} HTTP/1.1", "Host: x", *lines, "", ""]).encode()
