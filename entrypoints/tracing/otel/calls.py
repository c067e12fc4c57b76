"""The spans of what we ask others: LiveKit, the sources of identity, and their servers."""

from collections.abc import Callable, Mapping, Sequence
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
from typing_extensions import override
from yarl import URL

from adapters.http_client.telemetry import Attempt, Outcome, Report, Telemetry
from entrypoints.tracing.pass_on import FOLLOWS_TRACES

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
        return _Checks(tracer)
    target = URL(url)
    attributes: _Attributes = {SERVER_ADDRESS: target.host or "", SERVER_PORT: target.port or 0}
    if server == "livekit":
        return _Calls(tracer, {**attributes, "rpc.system.name": "twirp"}, _rpc)
    return _Calls(
        tracer,
        {**attributes, URL_FULL: f"{target.origin()}/REDACTED"},
        _http,
        when_ok={HTTP_RESPONSE_STATUS_CODE: 200},
        follows_traces=server in FOLLOWS_TRACES,
    )


def _rpc(method: str) -> tuple[str, _Attributes]:
    name = f"livekit.RoomService/{method}"
    return name, {"rpc.method": name}


def _http(method: str) -> tuple[str, _Attributes]:
    name = "GET" if method == "GetKeySet" else "POST"
    return name, {HTTP_REQUEST_METHOD: name}


@frozen
class _Calls(Telemetry):
    """A span for each call; one that several tasks share is in a trace of its own, with links."""

    _tracer: Tracer
    _attributes: _Attributes
    _name: Callable[[str], tuple[str, _Attributes]]
    """The span's name, and further attributes, by the call's method."""
    _when_ok: _Attributes = field(factory=dict, kw_only=True)
    _follows_traces: bool = field(default=True, kw_only=True)

    @override
    def begin(self, method: str, *, attempt: Attempt = _FIRST, rooms: int = 0) -> Report:
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
        headers: dict[str, str] = {}
        if self._follows_traces:
            _PROPAGATOR.inject(headers, set_span_in_context(span, Context()))
        return _Call(span, self._when_ok, headers)

    @override
    def current(self) -> object:
        return get_current()

    @override
    def share(self, origins: Sequence[object]) -> None:
        contexts = [origin for origin in origins if isinstance(origin, Context)]
        if len(contexts) == 1:
            attach(contexts[0])
        else:
            sharing = [get_current_span(context) for context in contexts]
            attach(set_value(_SHARED_BY, sharing, Context()))

    @override
    def connections(self, number: int) -> None:
        """Do nothing."""


@frozen
class _Call(Report):
    _span: Span
    _when_ok: _Attributes
    headers: Mapping[str, str]

    @override
    def end(self, outcome: Outcome) -> None:
        if outcome is Outcome.OK:
            self._span.set_attributes(self._when_ok)
        _end(self._span, outcome, is_failure=outcome not in _NO_FAILURES_OF_A_CALL)


@frozen
class _Checks(Telemetry):
    """A span for each source of identity that is asked, and the current one while it is."""

    _tracer: Tracer

    @override
    def begin(self, method: str, *, attempt: Attempt = _FIRST, rooms: int = 0) -> Report:
        before = get_current()
        span = self._tracer.start_span(
            f"identity {method}", attributes={"livekit_mute.source": method}
        )
        attach(set_span_in_context(span))
        return _Check(span, before)

    @override
    def current(self) -> object:
        return None

    @override
    def share(self, origins: Sequence[object]) -> None:
        """Do nothing: no check is shared."""

    @override
    def connections(self, number: int) -> None:
        """Do nothing."""


@frozen
class _Check(Report):
    _span: Span
    _before: Context
    headers: Mapping[str, str] = field(init=False, factory=dict)

    @override
    def end(self, outcome: Outcome) -> None:
        attach(self._before)
        _end(self._span, outcome, is_failure=outcome in _FAILURES_OF_A_CHECK)


def _end(span: Span, outcome: Outcome, *, is_failure: bool) -> None:
    span.set_attribute("livekit_mute.outcome", outcome.value)
    if is_failure:
        span.set_attribute(ERROR_TYPE, outcome.value)
        span.set_status(StatusCode.ERROR)
    span.end()
