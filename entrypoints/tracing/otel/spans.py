"""OpenTelemetry's SDK: where spans are sent, and how, is set by its standard variables."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME, SERVICE_VERSION
from opentelemetry.semconv.schemas import Schemas
from typing_extensions import override

from adapters.http_client.telemetry import Telemetry
from entrypoints.tracing.otel.calls import call_spans
from entrypoints.tracing.otel.requests import RequestSpans

_FLUSH_S = 2.0
_REPEATED_AFTER_S = 60.0
_log = logging.getLogger(__name__)


@frozen
class Spans:
    """Makes spans, and sends them in the background."""

    requests: RequestSpans
    telemetry: Callable[[str], Telemetry]
    _provider: TracerProvider

    async def close(self) -> None:
        """Send what is left, for 2 s at most; the thread that does it may be left behind."""
        closing = asyncio.create_task(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait({closing}, timeout=_FLUSH_S)


def make_spans(*, urls: Mapping[str, str], version: str) -> Spans:
    """Make spans of requests, and of the calls of the servers with these URLs."""
    _log_seldom()
    ours = Resource({SERVICE_NAME: "livekit-mute", SERVICE_VERSION: version})
    provider = TracerProvider(
        resource=Resource.create().merge(ours).merge(OTELResourceDetector().detect()),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("livekit-mute", version, schema_url=Schemas.V1_44_0.value)
    return Spans(
        RequestSpans(tracer),
        lambda server: call_spans(tracer, server, urls.get(server, "")),
        provider,
    )


def _log_seldom() -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [_Seldom()], False


@define(eq=False)
class _Seldom(logging.Handler):
    """Logs what OpenTelemetry logs, each of its messages once a minute, without errors' texts.

    These may quote the collector's address, with a query string.
    """

    _logged_at: dict[str, float] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        super().__init__(logging.WARNING)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        now, message = time.monotonic(), str(record.msg)
        if now - self._logged_at.get(message, -_REPEATED_AFTER_S) < _REPEATED_AFTER_S:
            return
        self._logged_at[message] = now
        _log.warning("tracing problem", extra={"reason": _text(record)})


def _text(record: logging.LogRecord) -> str:
    if not isinstance(record.args, tuple):
        return str(record.msg)
    named = (type(each).__name__ if isinstance(each, Exception) else each for each in record.args)
    return str(record.msg) % tuple(named)
