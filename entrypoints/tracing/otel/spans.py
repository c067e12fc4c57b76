"""OpenTelemetry's SDK: where spans are sent, and how, is set by its standard variables."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping

from attrs import frozen
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
    logger.handlers, logger.propagate = [Seldom()], False


class Seldom(logging.Handler):
    """Logs what OpenTelemetry warns of, each of its messages once a minute.

    The texts of errors are left out: they may quote the collector's URL, with a query string.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._logged_at: dict[str, float] = {}

    @override
    def emit(self, record: logging.LogRecord) -> None:
        now, message = self._clock(), str(record.msg)
        if now - self._logged_at.get(message, -math.inf) < _REPEATED_AFTER_S:
            return
        self._logged_at[message] = now
        if isinstance(record.args, tuple) and record.args:
            message %= tuple(map(_without_text, record.args))
        _log.warning("tracing problem", extra={"reason": message})


def _without_text(argument: object) -> object:
    return type(argument).__name__ if isinstance(argument, Exception) else argument
