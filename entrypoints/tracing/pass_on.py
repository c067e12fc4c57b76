"""A request's trace, passed on as it came: without OpenTelemetry, we are no part of it."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar

from aiohttp import web
from attrs import frozen
from typing_extensions import override

from adapters.http_client.telemetry import NO_TELEMETRY, Attempt, Outcome, Report, Telemetry
from entrypoints.tracing.trace_context import (
    TRACEPARENT,
    TRACESTATE,
    TraceContext,
    parse_trace_context,
)

FOLLOWS_TRACES = frozenset({"livekit", "authentication-service"})
"""The servers that are sent traces; a key server is often somebody else's."""

_FIRST = Attempt.FIRST
_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def received_trace(request: web.BaseRequest) -> TraceContext | None:
    """Return the trace that a request says it belongs to."""
    headers = request.headers
    if not headers or TRACEPARENT not in headers:
        return None
    return parse_trace_context(headers.getall(TRACEPARENT), headers.getall(TRACESTATE, []))


def accept_trace(request: web.BaseRequest) -> str:
    """Let the current task belong to the request's trace, and return its id or an empty text."""
    trace = received_trace(request)
    if trace is not _current.get():  # seldom: most requests have none, as the one before
        _current.set(trace)
    return trace.trace_id if trace else ""


def passing_on(server: str) -> Telemetry:
    """Return the telemetry that sends traces on to a server."""
    return _PASSING_ON if server in FOLLOWS_TRACES else NO_TELEMETRY


@frozen
class _PassingOn(Telemetry):
    @override
    def begin(self, method: str, *, attempt: Attempt = _FIRST, rooms: int = 0) -> Report:
        trace = _current.get()
        return NO_TELEMETRY if trace is None else _Call(trace.headers)

    @override
    def current(self) -> object:
        return _current.get()

    @override
    def share(self, origins: Sequence[object]) -> None:
        """Pass nothing on where there are several origins: a call has one trace."""
        origin = origins[0] if len(origins) == 1 else None
        _current.set(origin if isinstance(origin, TraceContext) else None)

    @override
    def connections(self, number: int) -> None:
        """Do nothing."""


@frozen
class _Call(Report):
    headers: Mapping[str, str]

    @override
    def end(self, outcome: Outcome) -> None:
        """Do nothing."""


_PASSING_ON = _PassingOn()
