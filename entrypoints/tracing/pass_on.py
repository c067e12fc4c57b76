"""A request's trace, passed on as it came: without OpenTelemetry, we are no part of it."""

from aiohttp import web

from adapters.http_client.telemetry import TRACE_HEADERS
from entrypoints.tracing.trace_context import (
    TRACEPARENT,
    TRACESTATE,
    TraceContext,
    parse_trace_context,
)


def received_trace(request: web.BaseRequest) -> TraceContext | None:
    """Return the trace that a request says it belongs to."""
    headers = request.headers
    if not headers or TRACEPARENT not in headers:
        return None
    return parse_trace_context(headers.getall(TRACEPARENT), headers.getall(TRACESTATE, []))


def accept_trace(request: web.BaseRequest) -> str:
    """Let the current task belong to the request's trace, and return its id or an empty text.

    The task's calls of LiveKit and of the authentication service carry the trace from now on.
    """
    trace = received_trace(request)
    headers = trace.headers if trace else None
    if headers is not TRACE_HEADERS.get():  # seldom: most requests have none, as the one before
        TRACE_HEADERS.set(headers)
    return trace.trace_id if trace else ""
