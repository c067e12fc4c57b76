"""The HTTP session for LiveKit, with the limits that livekit-api does not set."""

import asyncio
import json
import math
from contextlib import suppress
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override

from adapters.livekit.causes import redirect_target
from adapters.livekit.errors import NO_ANSWER_IN_TIME, AnswerTooLargeError, UnusableAnswerError
from adapters.livekit.limits import LiveKitLimits
from application.ports.room_gateway import RoomGatewayUnavailableError

_ATTEMPTS = 3
_MAX_ERROR_BYTES = 64 << 10
_MAX_READ_BYTES = 1280 << 10
"""Rooms and participants have up to 524,288 bytes of metadata (LiveKit 1.13.5), participants
65,536 of attributes too; LiveKit 1.9.11 creates rooms with any size of metadata."""
_MAX_MUTE_BYTES = 512 << 10
_BEGINNING_BYTES = 4 << 10
_PROTOBUF = "application/protobuf"

_FREE_CONNECTION = "no connection to {} became free before the deadline"
_NEW_CONNECTION = "cannot connect to {}: no answer before the deadline"
_IS_NEW = ContextVar("whether the current task's call has a new connection", default=False)
_WAITING = ContextVar("why the current task's call would time out", default=NO_ANSWER_IN_TIME)


class NoStaleDataConnector(aiohttp.TCPConnector):
    """Uses no connection with unread data, which aiohttp 3.14.5 may take for the next answer.

    Uses none either that is older than the last timeout on a used connection: where the network
    has dropped one without a sign, the others are often dropped too. Keeps track of what a call
    waits for.
    """

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)
        self._made_at: WeakKeyDictionary[ResponseHandler, float] = WeakKeyDictionary()
        self._usable_since = -math.inf

    def replace_connections(self) -> None:
        """Use none of the present connections for another call."""
        self._usable_since = asyncio.get_running_loop().time()

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        attempts = _ATTEMPTS
        while attempts:
            _WAITING.set(_FREE_CONNECTION)
            connection = await super().connect(req, traces, timeout)
            _IS_NEW.set(_WAITING.get() == _NEW_CONNECTION)
            _WAITING.set(NO_ANSWER_IN_TIME)
            protocol = connection.protocol
            is_old = protocol is not None and self._made_at[protocol] < self._usable_since
            if protocol is None or not (protocol.should_close or is_old):
                return connection
            connection.close()
            if not is_old:
                attempts -= 1
        raise RoomGatewayUnavailableError(reason="sent data before a request")

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        _WAITING.set(_NEW_CONNECTION)
        protocol = await super()._create_connection(req, traces, timeout)
        self._made_at[protocol] = asyncio.get_running_loop().time()
        return protocol


class BoundedResponse(ClientResponse):
    """An answer that is read up to a limit and must say where it ends."""

    _bounded_body: bytes | None = None

    @override
    async def read(self) -> bytes:
        if self._bounded_body is None:
            self._check_form()
            body = await self._read_bounded()
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            if not chunked and "Content-Length" not in self.headers:
                raise UnusableAnswerError(reason="answer without a length, it may be incomplete")
            self._bounded_body = body
        return self._bounded_body

    @override
    async def json(self, **_: Any) -> dict[str, Any]:
        """Read an error's JSON, as UTF-8 whatever charset it names: some take minutes to decode.

        What is no JSON object is an error without a code, whose message is the whole text.
        """
        text = (await self.read()).decode(errors="replace")
        found: object = None
        with suppress(ValueError):  # livekit-api catches a RecursionError
            found = json.loads(text)
        if not isinstance(found, dict):
            found = {"msg": text}
        return {"code": found.get("code"), "msg": str(found.get("msg", ""))}

    async def _read_bounded(self) -> bytes:
        limit = self._max_bytes()
        if (self.content_length or 0) > limit:
            limit = _BEGINNING_BYTES
        body = bytearray()
        async for chunk in self.content.iter_any():
            body += chunk
            if len(body) > limit:
                self.close()
                raise AnswerTooLargeError(beginning=bytes(body[:_BEGINNING_BYTES]))
        return bytes(body)

    def _check_form(self) -> None:
        """Reject what a proxy or another server answers with 200, often without any body or type.

        An empty body would mean that there is no such room or track.
        """
        if self.status != HTTPStatus.OK:
            return
        reason = ""
        if self.headers.get("Content-Encoding", "identity") != "identity":
            reason = "answer is compressed"
        elif not self.headers.get("Content-Type", "").startswith(_PROTOBUF):
            reason = "answer is not LiveKit's but another server's"
        if reason:
            self.close()
            raise UnusableAnswerError(reason=reason)

    def _max_bytes(self) -> int:
        if self.status != HTTPStatus.OK:
            return _MAX_ERROR_BYTES
        return _MAX_MUTE_BYTES if self.url.name == "MutePublishedTrack" else _MAX_READ_BYTES


async def reject_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Fail on a redirect, which livekit-api would follow, token included."""
    response = await handler(request)
    if 300 <= response.status < 400:  # noqa: PLR2004 - the class of HTTP status
        target = redirect_target(response.headers.get("Location", ""))
        response.close()
        reason = f"answered {response.status}, a redirect to {target}"
        raise RoomGatewayUnavailableError(reason=reason)
    return response


def timeout_reason(address: str) -> str:
    """Say what the current task waited for when a call to this address timed out."""
    return _WAITING.get().format(address)


def has_new_connection() -> bool:
    """Return whether the current task's last call was the first on its connection."""
    return _IS_NEW.get()


def handle_timeout(session: aiohttp.ClientSession) -> None:
    """Stop using what the current task's call shows to be broken: it timed out."""
    waited_on_used_connection = _WAITING.get() == NO_ANSWER_IN_TIME and not _IS_NEW.get()
    if waited_on_used_connection and isinstance(session.connector, NoStaleDataConnector):
        session.connector.replace_connections()


def make_session(limits: LiveKitLimits) -> aiohttp.ClientSession:
    """Make a session for LiveKit alone, so that a hanging LiveKit blocks no other upstream.

    Whoever calls limits the time of each call: livekit-api switches aiohttp's own timeouts off.
    Compressed answers are not asked for and not decompressed: that would have no limit.
    """
    return aiohttp.ClientSession(
        connector=NoStaleDataConnector(limit=limits.max_connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        response_class=BoundedResponse,
        middlewares=(reject_redirects,),
    )
