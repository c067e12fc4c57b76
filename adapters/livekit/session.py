"""The HTTP session towards LiveKit, for livekit-api has no bounds of its own."""

import asyncio
import json
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override

from adapters.livekit.bounds import Bounds

_ATTEMPTS = 3
_MAX_ERROR_BYTES = 64 << 10
_MAX_ROOMS_BYTES = 1280 << 10  # 16 rooms, each with 64,000 bytes of metadata, LiveKit's own bound
_MAX_ANSWER_BYTES = 512 << 10  # a participant brings metadata and attributes of 64,000 bytes each


UNTIL: ContextVar[float] = ContextVar("until")
"""The time of the event loop's until which a call is waited for; livekit-api hands no such on."""


class SilentConnector(aiohttp.TCPConnector):
    """Keeps no connection on which something came unasked, which would pass for the next answer."""

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        for _ in range(_ATTEMPTS):
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
        raise aiohttp.ClientConnectionError("spoke without being asked")


class BoundedResponse(ClientResponse):
    """An answer that is read up to a bound and refused beyond, or where its end cannot be told."""

    @override
    async def read(self) -> bytes:
        if self._body is None:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > self._max_bytes():
                    self.close()
                    raise aiohttp.ClientPayloadError("the answer is too large")
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            if not chunked and "Content-Length" not in self.headers:
                raise aiohttp.ClientPayloadError("the answer may have been broken off")
            self._body = bytes(body)
        return await super().read()

    @override
    async def json(self, **_: Any) -> dict[str, Any]:
        """Read the JSON of an error, in UTF-8 whatever charset it claims: some take minutes.

        livekit-api would lose the status of an error that is no object.
        """
        try:
            found = json.loads((await self.read()).decode())
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _max_bytes(self) -> int:
        if self.status != HTTPStatus.OK:
            return _MAX_ERROR_BYTES
        return _MAX_ROOMS_BYTES if self.url.name == "ListRooms" else _MAX_ANSWER_BYTES


async def tell_time_left(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Tell LiveKit for how long it is waited for."""
    left_s = UNTIL.get() - asyncio.get_running_loop().time()
    request.headers["X-Twirp-Timeout-Ms"] = str(max(1, round(left_s * 1000)))
    return await handler(request)


async def refuse_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Fail on a redirect, which livekit-api would follow with the token in hand."""
    response = await handler(request)
    if 300 <= response.status < 400:  # noqa: PLR2004 - the class of HTTP status
        response.close()
        raise aiohttp.ClientConnectionError("redirected")
    return response


def make_session(bounds: Bounds) -> aiohttp.ClientSession:
    """Make a session for LiveKit alone, so that a hanging LiveKit starves nobody else.

    The caller bounds each call in time, since livekit-api switches aiohttp's own timeouts off.
    Compressed answers are not asked for and not unpacked: unpacking has no bound.
    """
    return aiohttp.ClientSession(
        connector=SilentConnector(limit=bounds.max_connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        response_class=BoundedResponse,
        middlewares=(tell_time_left, refuse_redirects),
    )
