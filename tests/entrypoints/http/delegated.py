"""The service over an authentication service of these tests, and rooms that count."""

import asyncio
import json
import math
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from aiohttp import web
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.delegated import open_delegated
from adapters.in_memory.demo import DEMO
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import Authenticator, PresentCredential
from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.caller import Caller, IdentifiedCaller, UnidentifiedCaller
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.adapters.identity.answers import REFUSED, UNAVAILABLE, UNUSABLE, Verdict
from tests.adapters.identity.authentication_service import (
    AuthenticationService,
    ByteService,
    Question,
    Respond,
    usual_keys,
)
from tests.service import DEMO_WISH, MUTE, Service, running_service

TOKEN = "s3cret-token"
SHOWN = f"Authorization: Bearer {TOKEN}"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
WISH = json.dumps(DEMO_WISH).encode()
PATIENT = Limits(leaving_s=0, request_timeout_s=20, max_body_bytes=300)

Told = tuple[int, str, str | None, tuple[str, ...]]
"""Status and code, whose id is in the audit record, and what the rooms were asked."""

ERRORS: Mapping[Verdict, Told] = {
    REFUSED: (401, "UNAUTHORIZED", None, ()),
    UNUSABLE: (502, "AUTH_SERVICE_ERROR", None, ()),
    UNAVAILABLE: (503, "AUTH_SERVICE_UNAVAILABLE", None, ()),
}


@frozen
class CountingGateway(InMemoryRoomGateway):
    calls: list[str] = field(factory=list)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        self.calls.append("get_room")
        return await super().get_room(name, until=until)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self.calls.append("mute_track")
        return await super().mute_track(participant, track_sid, muted=muted, until=until)


@frozen
class PonderingAuthenticator(Authenticator):
    """Takes its time before it asks for the body, and then lets everybody in."""

    ponders_s: float

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        credential = present()
        await asyncio.sleep(self.ponders_s)
        await credential.request.body()
        return UnidentifiedCaller()


@frozen
class HangingGateway(CountingGateway):
    """Looks rooms up, and is silent about a mute; notes how long it might have been."""

    left_s: list[float] = field(factory=list)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self.left_s.append(until - asyncio.get_running_loop().time())
        raise RoomGatewayUnavailableError(reason="silent")


def serving(
    authority: AuthenticationService | ByteService,
    rooms: CountingGateway,
    *,
    limits: Limits = PATIENT,
    timeout_s: float = 20.0,
    allow_no_id: bool = False,
) -> AbstractAsyncContextManager[Service]:
    return running_service(
        open_gateway=lambda: nullcontext(rooms),
        open_authenticator=lambda: open_delegated(
            url=authority.url,
            signing_key=lambda: usual_keys().signing,
            timeout_s=timeout_s,
            max_connections=10,
            allow_no_id=allow_no_id,
        ),
        limits=limits,
        deadline_s=3600,
    )


def responding(body: object, status: int = 200) -> Respond:
    async def respond(_: Question) -> web.StreamResponse:
        return web.json_response(body, status=status, headers={"X-S3cret": "s3cret"})

    return respond


GRANT = responding({"id": DEMO.tenant})
DENY = responding({"error": "s3cret"}, 401)
FAIL = responding({"error": "s3cret"}, 500)


async def tell(service: Service, rooms: CountingGateway) -> Told:
    """Ask for a mute; nothing of the token or of what the service said may show anywhere."""
    rooms.calls.clear()
    answer = await service.mute(token=TOKEN)
    event = service.events[-1]
    assert "s3cret" not in f"{answer.body!r} {answer.headers} {event}"
    assert answer.json.get("code", "OK") == event["code"]
    return answer.status, event["code"], event.get("caller_id"), tuple(rooms.calls)


def foretell(verdict: Verdict) -> Told:
    match verdict:
        case IdentifiedCaller(id=id_):
            return 200, "OK", id_, ("get_room", "mute_track")
        case UnidentifiedCaller():
            return 200, "OK", None, ("mute_track",)
        case error:
            return ERRORS[error]


def head(*lines: str, query: str = "", path: str = MUTE) -> bytes:
    return "\r\n".join([f"POST {path}{query} HTTP/1.1", "Host: x", *lines, "", ""]).encode()
