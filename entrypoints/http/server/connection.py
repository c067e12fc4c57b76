"""aiohttp's request handler with a connection limit and timeouts for slow clients (slowloris)."""

import asyncio
from typing import Any, cast

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from typing_extensions import override

from entrypoints.http.limits import Limits
from entrypoints.http.server.aiohttp_internals import (
    RequestHandler,
    queue_malformed_request,
    queued_error,
    queued_messages,
)
from entrypoints.http.server.errors import MalformedHttpError, UnsupportedExpectError
from entrypoints.http.server.hooks import RequestHooks
from entrypoints.http.server.malformed import MAX_HEADERS, OPENING_BYTES, describe
from entrypoints.http.server.timer import Timer
from entrypoints.http.server.traffic import Traffic

_MAX_FRAMING = 8  # times the largest body: a byte may come as a chunk of six bytes
_MAX_REJECTED_CONNECTIONS = 256
_NO_ACCESS_LOG: Any = None  # aiohttp's own writes query strings


class Connection(RequestHandler):
    """Serves one client over HTTP/1.x.

    The first 256 connections beyond the limit are closed after one response, 503 unless the
    handler is exempt; further ones are closed at once.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_half_closed",
        "_headers_timer",
        "_hooks",
        "_max_body_bytes",
        "_max_connections",
        "_open_transport",
        "_opening",
        "_queue",
        "_reader_timer",
        "_responding",
        "_traffic",
        "over_limit",
    )

    def __init__(
        self, server: web.Server, *, limits: Limits, traffic: Traffic, hooks: RequestHooks
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=_NO_ACCESS_LOG,
            auto_decompress=False,
            keepalive_timeout=limits.idle_timeout_s,
            lingering_time=limits.body_timeout_s,
            max_field_size=limits.max_line_bytes,
            max_headers=MAX_HEADERS,
            max_line_size=limits.max_line_bytes,
        )
        self._body: StreamReader = EMPTY_PAYLOAD
        self._body_bytes = 0
        self._half_closed = False
        self._headers_timer = Timer(limits.headers_timeout_s)
        self._hooks = hooks
        self._max_body_bytes = limits.max_body_bytes * _MAX_FRAMING
        self._max_connections = limits.max_connections
        self._opening = b""
        self._queue = queued_messages(self)
        self._reader_timer = Timer(limits.body_timeout_s)
        self._responding = False
        self._traffic = traffic
        self.over_limit = False

    def begin(self, request: web.BaseRequest) -> None:
        """Note that a request's headers are complete, or cannot be parsed."""
        self._headers_timer.stop()
        self._responding = True
        self._body = request.content
        self._body_bytes = 0
        self._hooks.begin(request)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # aiohttp forgets the transport while it closes it.
        self._open_transport = cast("asyncio.Transport", transport)
        self._open_transport.set_write_buffer_limits(high=0)  # so every unread byte pauses writing
        self._traffic.connections += 1
        self.over_limit = self._traffic.connections > self._max_connections
        if self._traffic.connections > self._max_connections + _MAX_REJECTED_CONNECTIONS:
            self._traffic.refused_connections += 1
            self._open_transport.abort()
        else:
            self._headers_timer.start(self._on_headers_timeout)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_timer.start(self._open_transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader_timer.stop()

    @override
    def data_received(self, data: bytes) -> None:
        if len(self._opening) < OPENING_BYTES:
            self._opening += data[:OPENING_BYTES]
        body_is_complete = self._body.is_eof()
        if not body_is_complete:
            self._body_bytes += len(data)
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - yarl raises for targets that the parser accepts
            queue_malformed_request(self, error)
        if self._body_bytes > self._max_body_bytes and self._responding:
            most = f"{self._max_body_bytes} bytes ({_MAX_FRAMING} times MAX_BODY_BYTES)"
            self._abort_body(self._body, MalformedHttpError(f"the body takes more than {most}"))
        if self._queue:
            if len(self._queue) > 1 or not body_is_complete:
                self._abort_bodies_before_the_last()
        elif data and body_is_complete:
            self._headers_timer.start(self._on_headers_timeout)

    @override
    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep a half-closed connection open for the requests that are complete."""
        self._half_closed = True
        unanswered = self._bodies()[0 if self._responding else 1 :]
        stay_open = any(body.is_eof() for body in unanswered)
        for body in self._bodies():
            self._abort_body(body, ConnectionResetError())
        return stay_open

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._traffic.connections -= 1
        self._headers_timer.stop()
        self._reader_timer.stop()
        super().connection_lost(exc)
        self._body = EMPTY_PAYLOAD  # which breaks a cycle: a body refers to its connection

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to HTTP that cannot be parsed, or to an error outside of the application."""
        error = exc if isinstance(exc, Exception) else RuntimeError()
        if status == 400:  # noqa: PLR2004 - aiohttp's status for its parser's errors
            error = self._malformed(error)
        response = self._hooks.reject(request, error)
        response.force_close()
        return response

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if type(resp) is web.HTTPExpectationFailed:  # at an unknown path: no middleware saw it
            resp = self._hooks.reject(request, UnsupportedExpectError())
        if self._is_last(request):
            resp.force_close()
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._responding = False
            if "Upgrade" in request.headers:  # aiohttp may have lost what came right behind it
                self._headers_timer.start(self._on_headers_timeout)

    def _malformed(self, error: BaseException) -> MalformedHttpError:
        error.__traceback__ = None  # which breaks a cycle: it refers to this connection
        return MalformedHttpError(describe(error, self._opening))

    def _bodies(self) -> list[StreamReader]:
        """Return the body of the newest request begun, and those of the requests behind it."""
        return [self._body, *(body for _, body in self._queue)]

    def _abort_body(self, body: StreamReader, error: Exception) -> None:
        """End an incomplete body, so that its handler fails instead of waiting for the rest."""
        if body.is_eof():
            return
        # aiohttp itself drains the body of a request that has its response.
        if self._responding or body is not self._body:
            body.set_exception(error)
        body.feed_eof()

    def _abort_bodies_before_the_last(self) -> None:
        for body in self._bodies()[:-1]:
            # Only the parser's rejection of an incomplete body can come behind it.
            if not body.is_eof():
                self._abort_body(body, self._malformed(queued_error(self)))

    def _is_last(self, request: web.BaseRequest) -> bool:
        """Return whether the connection has to be closed after the response to a request.

        So it is after chunks and after CONNECT, because aiohttp 3.14.5 may take a part of such a
        request for one of the next.
        """
        return (
            self._traffic.shutting_down
            or self.over_limit
            or (self._half_closed and not self._queue)
            or "Transfer-Encoding" in request.headers
            or request.method == "CONNECT"
        )

    def _on_headers_timeout(self) -> None:
        if self._responding:
            self._headers_timer.start(self._on_headers_timeout)
        else:
            self.force_close()
