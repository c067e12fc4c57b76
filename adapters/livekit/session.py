"""The HTTP session for LiveKit, with the limits that livekit-api does not set."""

import json
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override

from adapters.livekit.errors import UnusableAnswerError
from adapters.livekit.limits import LiveKitLimits
from application.ports.room_gateway import RoomGatewayUnavailableError

_ATTEMPTS = 3
_MAX_ERROR_BYTES = 64 << 10
_MAX_ROOMS_BYTES = 1280 << 10  # 16 rooms, each with 64,000 bytes of metadata, LiveKit's own limit
_MAX_ANSWER_BYTES = 512 << 10  # a participant has metadata and attributes of 64,000 bytes each


class NoStaleDataConnector(aiohttp.TCPConnector):
    """Uses no connection with unread data, which aiohttp 3.14.5 may take for the next answer."""

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        for _ in range(_ATTEMPTS):
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
        raise RoomGatewayUnavailableError(reason="sent data before a request")


class BoundedResponse(ClientResponse):
    """An answer that is read up to a limit and must say where it ends."""

    _bounded_body: bytes | None = None

    @override
    async def read(self) -> bytes:
        if self._bounded_body is None:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > self._max_bytes():
                    self.close()
                    raise UnusableAnswerError(reason="answer too large")
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            if not chunked and "Content-Length" not in self.headers:
                raise UnusableAnswerError(reason="answer without a length, it may be incomplete")
            self._bounded_body = bytes(body)
        return self._bounded_body

    @override
    async def json(self, **_: Any) -> dict[str, Any]:
        """Read an error's JSON, as UTF-8 whatever charset it names: some take minutes to decode.

        livekit-api takes what cannot be read for an empty object, but loses the status where it
        is no object.
        """
        found = json.loads((await self.read()).decode())
        return found if isinstance(found, dict) else {}

    def _max_bytes(self) -> int:
        if self.status != HTTPStatus.OK:
            return _MAX_ERROR_BYTES
        return _MAX_ROOMS_BYTES if self.url.name == "ListRooms" else _MAX_ANSWER_BYTES


async def reject_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Fail on a redirect, which livekit-api would follow, token included."""
    response = await handler(request)
    if 300 <= response.status < 400:  # noqa: PLR2004 - the class of HTTP status
        response.close()
        raise RoomGatewayUnavailableError(reason=f"answered {response.status}, a redirect")
    return response


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
