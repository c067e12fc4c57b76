"""LiveKit's HTTP server: tokens, routes and Twirp, and answers that a test arranges.

It answers as livekit-server 1.13.5 was measured to; tests/contract/test_livekit_double.py sends
the same requests to both.
"""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

from aiohttp import web
from attrs import define, field
from google.protobuf.message import Message
from livekit.protocol.room import (
    DESCRIPTOR,
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    UpdateRoomMetadataRequest,
)

from contract import twirp
from contract.livekit_answers import Answer
from contract.livekit_changes import change
from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants, TokenRefusedError, authorization_of, read_grants
from contract.twirp import TwirpError

_SERVICE = "/twirp/livekit.RoomService/"
_CHANGES: Mapping[str, type[Message]] = {
    "CreateRoom": CreateRoomRequest,
    "DeleteRoom": DeleteRoomRequest,
    "UpdateRoomMetadata": UpdateRoomMetadataRequest,
    "RemoveParticipant": RoomParticipantIdentity,
}
_REQUESTS: Mapping[str, type[Message]] = {
    **_CHANGES,
    "ListRooms": ListRoomsRequest,
    "ListParticipants": ListParticipantsRequest,
    "GetParticipant": RoomParticipantIdentity,
    "MutePublishedTrack": MuteRoomTrackRequest,
}
CALLS = tuple(_REQUESTS)
"""The names of all calls that there are."""


@define
class _Fault:
    """An answer in place of the double's own, for so many requests more."""

    call: str | None
    answer: Answer
    times: float


@define(kw_only=True)
class LiveKitDouble:
    """A LiveKit with one API key; serve its ``app()``.

    Attributes:
        calls: how many requests there were for each call.
        headers: those of the last request for each call.
    """

    api_key: str
    api_secret: str = field(repr=False)
    rooms: LiveKitRooms
    wall_clock: Callable[[], float] = time.time
    calls: Counter[str] = field(init=False, factory=Counter)
    headers: dict[str, Mapping[str, str]] = field(init=False, factory=dict)
    _faults: list[_Fault] = field(init=False, factory=list)
    _always: Answer | None = field(init=False, default=None)
    _answering: set[asyncio.Future[web.StreamResponse]] = field(init=False, factory=set)

    def app(self) -> web.Application:
        """Make the application to serve; its shutdown cancels unanswered requests."""
        app = web.Application(client_max_size=0)  # no limit, as LiveKit has none
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_shutdown.append(self._shut_down)
        return app

    def fail_next(self, call: str, *answers: Answer) -> None:
        """Answer the next calls of this name with these answers, in order."""
        for answer in answers:
            self.fail(call, answer, times=1)

    def fail(self, call: str | None, answer: Answer, *, times: float = math.inf) -> None:
        """Answer so many of the next calls of this name, or of any, after earlier faults.

        Raises:
            KeyError: there is no call of this name.
        """
        if call is not None and call not in _REQUESTS:
            raise KeyError(call)
        self._faults.append(_Fault(call, answer, times))

    @contextmanager
    def always(self, answer: Answer) -> Iterator[None]:
        """Answer every request with this answer while this is entered."""
        self._always = answer
        try:
            yield
        finally:
            self._always = None

    def reset(self, rooms: LiveKitRooms) -> None:
        """Serve these rooms, forget faults and records, and hang up on unanswered requests."""
        self.rooms = rooms
        self._faults.clear()
        self.calls.clear()
        self.headers.clear()
        self._cancel_all()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = twirp.path_of(request).removeprefix(_SERVICE)
        if call in _REQUESTS:
            self.calls[call] += 1
            self.headers[call] = request.headers
        answering = asyncio.ensure_future(self._answer_to(call)(request))
        self._answering.add(answering)
        try:
            return await answering
        finally:
            self._answering.discard(answering)

    async def _shut_down(self, _app: web.Application) -> None:
        self._cancel_all()

    def _cancel_all(self) -> None:
        for answering in self._answering:
            answering.cancel()

    def _answer_to(self, call: str) -> Answer:
        if self._always is not None:
            return self._always
        for fault in self._faults:
            if fault.call in {call, None} and call in _REQUESTS:
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
                return fault.answer
        return self._own_answer

    async def _own_answer(self, request: web.Request) -> web.StreamResponse:
        try:
            grants = read_grants(
                authorization_of(request),
                api_key=self.api_key,
                api_secret=self.api_secret,
                wall_clock=self.wall_clock,
            )
            return await self._call(request, grants)
        except TokenRefusedError as refusal:
            return web.Response(status=401, text=str(refusal))
        except TwirpError as error:
            return error.response()

    async def _call(self, request: web.Request, grants: Grants) -> web.StreamResponse:
        path = twirp.path_of(request)
        if path == "/":
            return web.Response(text="OK")
        if (clean := twirp.clean_path(path)) != path:
            query = request.rel_url.raw_query_string
            location = quote(clean) + (f"?{query}" if query else "")
            return web.Response(status=307, headers={"Location": location})
        if not path.startswith(_SERVICE):
            return web.Response(status=404, text="404 page not found\n")
        if request.method != "POST":
            why = f"unsupported method {json.dumps(request.method)} (only POST is allowed)"
            raise twirp.bad_route(request, why)
        return await self._perform(path.removeprefix(_SERVICE), request, grants)

    async def _perform(self, call: str, request: web.Request, grants: Grants) -> web.Response:
        if call not in _REQUESTS:
            raise _no_handler(call, request)
        encoding = twirp.encoding_of(request)
        asked = twirp.decode(await request.read(), _REQUESTS[call], encoding)
        async with twirp.request_timeout(request):
            done = await (
                change(self.rooms, asked, grants)
                if call in _CHANGES
                else self.rooms.perform(asked, grants)
            )
        return twirp.encode(done, encoding)


def _no_handler(call: str, request: web.Request) -> TwirpError:
    if call in DESCRIPTOR.services_by_name["RoomService"].methods_by_name:
        return TwirpError("unimplemented", f"the LiveKit double has no {call}")
    return twirp.bad_route(request, f"no handler for path {json.dumps(twirp.path_of(request))}")
