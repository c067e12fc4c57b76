"""One client's connection: what aiohttp leaves to chance below the application.

Every answer passes here, the HTTP parser's own included, so this is where answers get their
common headers, requests their event in the log, and clients that are silent, deaf or too many
their end.
"""

import asyncio
from typing import Any, cast

from aiohttp import StreamReader, web
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo
from structlog.typing import FilteringBoundLogger
from typing_extensions import override

from entrypoints.http.audit import AUDIT_RECORD, log_record, open_record
from entrypoints.http.errors import MalformedHttpError, error_response
from entrypoints.http.limits import Limits
from entrypoints.http.patience import Patience
from entrypoints.http.traffic import Traffic

_MAX_FRAMING = 8  # times the largest body, of which a byte may be a chunk of six
_MAX_SURPLUS = 256
_NO_ACCESS_LOG: Any = None  # aiohttp's own would write query strings


class Connection(web.RequestHandler):
    """Speaks HTTP/1.x with one client.

    Up to 256 connections over the bound are surplus: told so at their first request, and closed.
    What comes beyond them is closed unheard.
    """

    __slots__ = (
        "_answering",
        "_body",
        "_body_bytes",
        "_half_closed",
        "_headers_awaited",
        "_log",
        "_max_body_bytes",
        "_max_connections",
        "_opened",
        "_reader_awaited",
        "_traffic",
        "is_surplus",
    )

    def __init__(
        self, server: web.Server, *, limits: Limits, traffic: Traffic, log: FilteringBoundLogger
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=_NO_ACCESS_LOG,
            auto_decompress=False,
            keepalive_timeout=limits.idle_timeout_s,
            lingering_time=limits.body_timeout_s,
            max_field_size=limits.max_line_bytes,
            max_line_size=limits.max_line_bytes,
        )
        self._answering = False
        self._body: StreamReader = EMPTY_PAYLOAD
        self._body_bytes = 0
        self._half_closed = False
        self._headers_awaited = Patience(limits.headers_timeout_s)
        self._log = log
        self._max_body_bytes = limits.max_body_bytes * _MAX_FRAMING
        self._max_connections = limits.max_connections
        self._reader_awaited = Patience(limits.body_timeout_s)
        self._traffic = traffic
        self.is_surplus = False

    def begin(self, request: web.BaseRequest) -> None:
        """Take note that a request's headers are complete, or are past repair."""
        self._headers_awaited.stop()
        self._answering = True
        self._body = request.content
        self._body_bytes = 0
        open_record(request)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opened = cast("asyncio.Transport", transport)  # aiohttp forgets it while it closes
        self._opened.set_write_buffer_limits(high=0)  # to be told of all that is not taken
        self._traffic.connections += 1
        self.is_surplus = self._traffic.connections > self._max_connections
        if self._traffic.connections > self._max_connections + _MAX_SURPLUS:
            self._opened.abort()
        else:
            self._headers_awaited.start(self._give_up_on_headers)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_awaited.start(self._opened.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader_awaited.stop()

    @override
    def data_received(self, data: bytes) -> None:
        body_is_whole = self._body.is_eof()
        if not body_is_whole:
            self._body_bytes += len(data)
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - what yarl says of odd targets passes the parser
            self._refuse(error)
        if self._body_bytes > self._max_body_bytes and self._answering:
            self._give_up(self._body, RequestPayloadError())
        if data and body_is_whole and not self._messages:
            self._headers_awaited.start(self._give_up_on_headers)
        for body in self._bodies()[:-1]:
            # Behind an unfinished body nothing can come but the parser's refusal of it.
            self._give_up(body, RequestPayloadError())

    @override
    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay to answer what is whole of that which a client said before it half-closed."""
        self._half_closed = True
        unanswered = self._bodies()[0 if self._answering else 1 :]
        stay = any(body.is_eof() for body in unanswered)
        self._break_off()
        return stay

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._traffic.connections -= 1
        self._headers_awaited.stop()
        self._reader_awaited.stop()
        self._break_off()
        super().connection_lost(exc)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what no handler saw: HTTP that cannot be parsed, or a fault below the handlers."""
        error: Exception = MalformedHttpError("the request is not well-formed HTTP/1.1")
        if status != 400:  # noqa: PLR2004 - what aiohttp says of its parser's errors
            error = exc if isinstance(exc, Exception) else RuntimeError()
        response = self._tell(request, error)
        response.force_close()
        return response

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException):  # an unknown Expect passes by all middlewares
            resp = self._tell(request, resp)
        resp.headers["X-Request-ID"] = request[AUDIT_RECORD].request_id
        resp.headers["X-Content-Type-Options"] = "nosniff"
        resp.headers["Cache-Control"] = "no-store"
        resp.headers["Server"] = "livekit-mute"  # or else aiohttp's name and version
        if self._is_last(request):
            resp.force_close()
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answering = False
            if "Upgrade" in request.headers:  # aiohttp may have lost what came right behind it
                self._headers_awaited.start(self._give_up_on_headers)
            elapsed_s = request[AUDIT_RECORD].elapsed_s
            # In a row, the events of answers that are ready together cost half.
            asyncio.get_running_loop().call_soon(
                log_record, self._log, request, resp.status, elapsed_s
            )

    def _refuse(self, error: Exception) -> None:
        """Have what cannot be parsed answered as aiohttp has it for what its parser refuses."""
        self._messages.append((_ErrInfo(status=400, exc=error, message=""), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _bodies(self) -> list[StreamReader]:
        """Give the body of the newest request begun, and those of the requests behind it."""
        return [self._body, *(body for _, body in self._messages)]

    def _break_off(self) -> None:
        for body in self._bodies():
            self._give_up(body, ConnectionResetError())

    def _give_up(self, body: StreamReader, error: Exception) -> None:
        """Let nobody wait for the rest of a body; its handler fails, once it has one."""
        if body.is_eof():
            return
        if self._answering or body is not self._body:  # or else aiohttp drops what it still reads
            body.set_exception(error)
        body.feed_eof()

    def _is_last(self, request: web.BaseRequest) -> bool:
        """Tell whether the connection should end with the answer to a request.

        It should after chunks, for aiohttp 3.14.5 takes the last trailer for a header of the next
        request; and after CONNECT, whose body it takes for the next request.
        """
        return (
            self._traffic.leaving
            or self.is_surplus
            or (self._half_closed and not self._messages)
            or "Transfer-Encoding" in request.headers
            or request.method == "CONNECT"
        )

    def _tell(self, request: web.BaseRequest, error: Exception) -> web.Response:
        request[AUDIT_RECORD].error = error
        return error_response(error)

    def _give_up_on_headers(self) -> None:
        if self._answering:
            self._headers_awaited.start(self._give_up_on_headers)
        else:
            self.force_close()
