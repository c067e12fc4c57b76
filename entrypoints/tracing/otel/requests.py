"""The span of each request that we get."""

from aiohttp import web
from aiohttp.hdrs import METH_ALL
from attrs import frozen
from opentelemetry.context import Context, attach
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.trace import (
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from entrypoints.http.api.context import RequestContext
from entrypoints.tracing.pass_on import received_trace

_SPAN = web.RequestKey("span", Span)
_OTHER = "_OTHER"
_SERVER_ERROR = 500
_PROPAGATOR = TraceContextTextMapPropagator()


@frozen
class RequestSpans:
    """Makes a span for each request."""

    _tracer: Tracer

    def begin(self, request: web.BaseRequest) -> str:
        """Begin the span of a request, let the current task belong to it, return its trace's id."""
        trace = received_trace(request)
        parent = _PROPAGATOR.extract(trace.headers, Context()) if trace else Context()
        method = request.method if request.method in METH_ALL else _OTHER
        span = self._tracer.start_span(
            _name(request),
            context=parent,
            kind=SpanKind.SERVER,
            attributes={
                HTTP_REQUEST_METHOD: method,
                URL_SCHEME: "http",
                NETWORK_PROTOCOL_VERSION: f"{request.version.major}.{request.version.minor}",
            },
        )
        request[_SPAN] = span
        attach(set_span_in_context(span, parent))
        return format_trace_id(span.get_span_context().trace_id)

    def observe(self, request: web.BaseRequest, context: RequestContext) -> None:
        """End the span of a request; an observer.

        The path is recorded where it is a route's: anything may be in another, a token too. So may
        it be in a query string, the target's host, and ``User-Agent``, which are never recorded.
        """
        span = request[_SPAN]
        if context.route:
            span.update_name(f"{_name(request)} {context.route}")
            span.set_attributes({HTTP_ROUTE: context.route, URL_PATH: context.route})
        if context.client:
            span.set_attribute(CLIENT_ADDRESS, context.client)
        span.set_attribute(HTTP_RESPONSE_STATUS_CODE, context.status)
        if context.status >= _SERVER_ERROR:
            span.set_attribute(ERROR_TYPE, _error_type(context))
            span.set_status(StatusCode.ERROR)
        span.end()


def _name(request: web.BaseRequest) -> str:
    return request.method if request.method in METH_ALL else "HTTP"


def _error_type(context: RequestContext) -> str:
    """Return the error's code, or of an exception that nobody expected its type."""
    if context.code == "INTERNAL_ERROR" and context.error:
        return type(context.error).__qualname__
    return context.code
