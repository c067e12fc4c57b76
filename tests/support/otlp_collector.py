"""An OpenTelemetry collector of the tests' own, which keeps the spans that it is sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, field, frozen
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from tests.support.secret_scan import scan_for_secrets

Values = Mapping[str, str | int]


@frozen(kw_only=True)
class ReceivedSpan:
    """A span in plain values; ids are in hexadecimal digits."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: Sequence[tuple[str, str]]
    attributes: Values
    is_error: bool


@define(eq=False)
class Collector:
    """Keeps what it is sent.

    Attributes:
        url: its address, without a path.
        spans: in the order in which they ended.
        resources: the attributes of what sent them.
        events: of all spans.
        status: the status of its responses.
    """

    url: str = ""
    spans: list[ReceivedSpan] = field(init=False, factory=list)
    resources: list[Values] = field(init=False, factory=list)
    events: list[str] = field(init=False, factory=list)
    status: int = 200
    _arrived: asyncio.Condition = field(init=False, factory=asyncio.Condition)

    async def wait_for(self, is_enough: Callable[[Sequence[ReceivedSpan]], bool]) -> None:
        """Wait until there are enough spans."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: is_enough(self.spans))

    def named(self, name: str) -> Sequence[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        scan_for_secrets("the spans", body)
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            self._keep(sent)
        async with self._arrived:
            self._arrived.notify_all()
        return web.Response(
            status=self.status,
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    def _keep(self, sent: ResourceSpans) -> None:
        self.resources.append(_values(sent.resource))
        for scope in sent.scope_spans:
            for span in scope.spans:
                self.events += [event.name for event in span.events]
                self.spans.append(_read(span))


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.handle)
    async with TestServer(app) as server:
        collector.url = str(server.make_url("")).rstrip("/")
        yield collector


def _read(span: Span) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        attributes=_values(span),
        is_error=span.status.code == span.status.STATUS_CODE_ERROR,
    )


def _values(of: Span | Resource) -> Values:
    pairs = {pair.key: pair.value for pair in of.attributes}
    return {key: getattr(value, value.WhichOneof("value") or "") for key, value in pairs.items()}


@asynccontextmanager
async def tracing_to(collector: Collector) -> AsyncIterator[Tracer]:
    """Make spans in this process while the block runs, all of which are sent by its end."""
    exporter = OTLPSpanExporter(endpoint=f"{collector.url}/v1/traces")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=10))
    try:
        yield provider.get_tracer("tests")
    finally:
        await asyncio.to_thread(provider.shutdown)
