"""The spans of what we ask others: LiveKit, the sources of identity, and their servers."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import cast

from attrs import field, frozen
from opentelemetry.context import (
    Context,
    attach,
    create_key,
    get_current,
    get_value,
    set_value,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from yarl import URL

from adapters.http_client.telemetry import Attempt, CallInfo, End, Outcome, Telemetry

_Attributes = Mapping[str, str | int]

_FIRST = Attempt.FIRST
_SHARED_BY = create_key("livekit-mute-shared-by")
_PROPAGATOR = TraceContextTextMapPropagator()
_NO_FAILURES_OF_A_CALL = frozenset({Outcome.OK, Outcome.DROPPED})
_FAILURES_OF_A_CHECK = frozenset({Outcome.UNAVAILABLE, Outcome.UNUSABLE})


def call_spans(tracer: Tracer, server: str, url: str = "") -> Telemetry:
    """Make the telemetry of one server's calls.

    Args:
        tracer: makes the spans, as children of the current one.
        server: one of ``SERVERS``.
        url: the server's; only scheme, host and port of it are recorded.
    """
    if server == "identity":
        return Telemetry(begin=partial(_begin_check, tracer))
    target = URL(url)
    attributes: _Attributes = {SERVER_ADDRESS: target.host or "", SERVER_PORT: target.port or 0}
    if server == "livekit":
        calls = _Calls(tracer, {**attributes, "rpc.system.name": "twirp"}, _rpc)
    else:
        calls = _Calls(
            tracer,
            {**attributes, URL_FULL: f"{target.origin()}/REDACTED"},
            _http,
            when_ok={HTTP_RESPONSE_STATUS_CODE: 200},
            follows_traces=server != "key-server",
        )
    return Telemetry(begin=calls.begin, current=get_current, share=_share)


def _rpc(method: str) -> tuple[str, _Attributes]:
    name = f"livekit.RoomService/{method}"
    return name, {"rpc.method": name}


def _http(method: str) -> tuple[str, _Attributes]:
    name = "GET" if method == "GetKeySet" else "POST"
    return name, {HTTP_REQUEST_METHOD: name}


@frozen
class _Calls:
    """A span for each call; one that several tasks share is in a trace of its own, with links."""

    _tracer: Tracer
    _attributes: _Attributes
    _name: Callable[[str], tuple[str, _Attributes]]
    """The span's name, and further attributes, by the call's method."""
    _when_ok: _Attributes = field(factory=dict, kw_only=True)
    _follows_traces: bool = field(default=True, kw_only=True)

    def begin(self, info: CallInfo, headers: MutableMapping[str, str]) -> End:
        """Begin a span, see ``Begin``."""
        method, attempt, rooms = info
        name, more = self._name(method)
        attributes = {**self._attributes, **more}
        if rooms:
            attributes["livekit_mute.rooms"] = rooms
        if attempt is not _FIRST:
            attributes["livekit_mute.attempt"] = attempt.value
        sharing = cast("Sequence[Span]", get_value(_SHARED_BY) or ())
        links = [Link(each.get_span_context()) for each in sharing]
        span = self._tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes=attributes, links=links
        )
        for each in sharing:  # leads from a request to the read that it waited for
            if each.is_recording():
                each.add_link(span.get_span_context())
        if self._follows_traces:
            _PROPAGATOR.inject(headers, set_span_in_context(span, Context()))
        return partial(_end_call, span, self._when_ok)


def _share(origins: Sequence[object]) -> None:
    """Let the current task call on behalf of others, whose contexts these are."""
    contexts = [origin for origin in origins if isinstance(origin, Context)]
    if len(contexts) == 1:
        attach(contexts[0])
    else:
        sharing = [get_current_span(context) for context in contexts]
        attach(set_value(_SHARED_BY, sharing, Context()))


def _end_call(span: Span, when_ok: _Attributes, outcome: Outcome) -> None:
    if outcome is Outcome.OK:
        span.set_attributes(when_ok)
    _end(span, outcome, is_failure=outcome not in _NO_FAILURES_OF_A_CALL)


def _begin_check(tracer: Tracer, info: CallInfo, _: MutableMapping[str, str]) -> End:
    """Begin a span of a source of identity, which is the current one while it is asked."""
    source, *_rest = info
    before = get_current()
    span = tracer.start_span(f"identity {source}", attributes={"livekit_mute.source": source})
    attach(set_span_in_context(span))
    return partial(_end_check, span, before)


def _end_check(span: Span, before: Context, outcome: Outcome) -> None:
    attach(before)
    _end(span, outcome, is_failure=outcome in _FAILURES_OF_A_CHECK)


def _end(span: Span, outcome: Outcome, *, is_failure: bool) -> None:
    span.set_attribute("livekit_mute.outcome", outcome.value)
    if is_failure:
        span.set_attribute(ERROR_TYPE, outcome.value)
        span.set_status(StatusCode.ERROR)
    span.end()
