"""The HTTP session for LiveKit, with the limits that livekit-api does not set."""

import json
from contextlib import suppress
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

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

    Keeps track of what a call waits for.
    """

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        for _ in range(_ATTEMPTS):
            _WAITING.set(_FREE_CONNECTION)
            connection = await super().connect(req, traces, timeout)
            _IS_NEW.set(_WAITING.get() == _NEW_CONNECTION)
            _WAITING.set(NO_ANSWER_IN_TIME)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
        raise RoomGatewayUnavailableError(reason="sent data before a request")

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        _WAITING.set(_NEW_CONNECTION)
        return await super()._create_connection(req, traces, timeout)


class BoundedResponse(ClientResponse):
    """An answer that is read up to a limit and must say where it ends."""

    _bounded_body: bytes | None = None

    @override
    async def read(self) -> bytes:
        if self._bounded_body is None:
            self._check_type()
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

    def _check_type(self) -> None:
        """Reject what a proxy or another server answers with 200, often without any body or type.

        An empty body would mean that there is no such room or track.
        """
        given = self.headers.get("Content-Type", "")
        if self.status == HTTPStatus.OK and not given.startswith(_PROTOBUF):
            self.close()
            raise UnusableAnswerError(reason="answer is not LiveKit's but another server's")

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
