"""A LiveKit double: LiveKit's RoomService over HTTP, with rooms that a test arranges.

It answers as livekit-server 1.13.5 was measured to; tests/contract/test_livekit_double.py sends
the same requests to both.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web
from attrs import define, field
from google.protobuf.message import Message
from livekit.protocol.room import (
    ListRoomsRequest,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
)

from contract import twirp
from contract.livekit_answers import Answer
from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants, TokenRefusedError, read_grants
from contract.twirp import TwirpError

_SERVICE = "/twirp/livekit.RoomService/"
_REQUESTS: Mapping[str, type[Message]] = {
    "ListRooms": ListRoomsRequest,
    "GetParticipant": RoomParticipantIdentity,
    "MutePublishedTrack": MuteRoomTrackRequest,
}


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
    _next: dict[str, deque[Answer]] = field(init=False, factory=lambda: defaultdict(deque))
    _always: Answer | None = field(init=False, default=None)
    _answering: set[asyncio.Future[web.StreamResponse]] = field(init=False, factory=set)

    def app(self) -> web.Application:
        """Make the application to serve; its shutdown cancels unanswered requests."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_shutdown.append(self._cancel_all)
        return app

    def fail_next(self, call: str, *answers: Answer) -> None:
        """Answer the next calls of this name with these answers, in order."""
        if call not in _REQUESTS:
            raise KeyError(call)
        self._next[call].extend(answers)

    @contextmanager
    def always(self, answer: Answer) -> Iterator[None]:
        """Answer every request with this answer while this is entered."""
        self._always = answer
        try:
            yield
        finally:
            self._always = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = request.path.removeprefix(_SERVICE)
        if call in _REQUESTS:
            self.calls[call] += 1
            self.headers[call] = request.headers
        answering = asyncio.ensure_future(self._answer_to(call)(request))
        self._answering.add(answering)
        try:
            return await answering
        finally:
            self._answering.discard(answering)

    async def _cancel_all(self, _app: web.Application) -> None:
        for answering in self._answering:
            answering.cancel()

    def _answer_to(self, call: str) -> Answer:
        if self._always is not None:
            return self._always
        return self._next[call].popleft() if self._next[call] else self._own_answer

    async def _own_answer(self, request: web.Request) -> web.StreamResponse:
        try:
            grants = read_grants(
                request.headers.get("Authorization", ""),
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
        if request.path == "/":
            return web.Response(text="OK")
        if not request.path.startswith(_SERVICE):
            return web.Response(status=404, text="404 page not found\n")
        if request.method != "POST":
            why = f"unsupported method {json.dumps(request.method)} (only POST is allowed)"
            raise twirp.bad_route(request, why)
        kind = _REQUESTS.get(request.path.removeprefix(_SERVICE))
        if kind is None:
            raise twirp.bad_route(request, f"no handler for path {json.dumps(request.path)}")
        encoding = twirp.encoding_of(request)
        asked = twirp.decode(await request.read(), kind, encoding)
        async with twirp.request_timeout(request):
            return twirp.encode(await self.rooms.perform(asked, grants), encoding)
