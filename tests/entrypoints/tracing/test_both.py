"""Metrics and traces of the same calls."""

import pytest
from aiohttp.test_utils import make_mocked_request
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.http_client.telemetry import NO_TELEMETRY, Outcome, Telemetry
from entrypoints.http.limits import Limits
from entrypoints.logs import Stderr
from entrypoints.metrics.metrics import Metrics
from entrypoints.room_container import no_telemetry
from entrypoints.tracing.both import both
from entrypoints.tracing.otel.calls import call_spans
from entrypoints.tracing.pass_on import accept_trace, passing_on

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(limits=Limits(), log=Stderr())


class TestBoth:
    def test_count_a_call_that_is_traced(self, metrics: Metrics) -> None:
        exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))

        def spans(server: str) -> Telemetry:
            return call_spans(provider.get_tracer("tests"), server, "http://127.0.0.1")

        telemetry = both(metrics.telemetry, spans)("livekit")
        report = telemetry.begin("ListRooms")
        assert "traceparent" in report.headers
        report.end(Outcome.OK)
        telemetry.connections(3)
        counted = metrics.servers["livekit"]
        assert counted.last_ok is not None
        assert counted.open_connections == 3
        assert [span.name for span in exporter.get_finished_spans()] == [
            "livekit.RoomService/ListRooms"
        ]

    def test_follow_those_who_share_a_call(self, metrics: Metrics) -> None:
        telemetry = both(metrics.telemetry, passing_on)("livekit")
        accept_trace(make_mocked_request("GET", "/", headers={"traceparent": PARENT}))
        origin = telemetry.current()
        accept_trace(make_mocked_request("GET", "/"))
        telemetry.share([origin])
        assert telemetry.begin("ListRooms").headers == {"traceparent": PARENT}
        telemetry.share([origin, origin])
        assert telemetry.begin("ListRooms").headers == {}

    def test_are_one_where_there_is_one(self, metrics: Metrics) -> None:
        assert both(metrics.telemetry, passing_on)("key-server") is metrics.telemetry("key-server")
        assert both(no_telemetry, passing_on)("livekit") is passing_on("livekit")
        assert both(no_telemetry, passing_on)("identity") is NO_TELEMETRY
