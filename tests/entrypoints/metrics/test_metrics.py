"""What is counted, at each reading and in between."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from adapters.http_client.reports import report_call
from adapters.http_client.telemetry import NO_TELEMETRY, Attempt, Outcome
from entrypoints.http.limits import Limits
from entrypoints.logs import Stderr
from entrypoints.metrics.families import exposition, make_registry
from entrypoints.metrics.metrics import Metrics
from entrypoints.tracing.otel.calls import call_spans


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(limits=Limits(), log=Stderr())


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text = exposition(make_registry(metrics, version="1")).decode()
    return {
        (sample.name.removeprefix("livekit_mute_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def called(
    metrics: Metrics, outcome: Outcome, *, attempt: Attempt = Attempt.FIRST, rooms: int = 0
) -> None:
    note = metrics.listen("livekit", NO_TELEMETRY).ended
    assert note
    note((("ListRooms", attempt, rooms), outcome, 1.0, 1.5))


class TestCalls:
    def test_are_all_counted_at_each_reading(self, metrics: Metrics) -> None:
        for number in range(1, 201):
            called(metrics, Outcome.OK, rooms=3)
            if number % 50 == 1:
                found = samples(metrics)
                assert found["upstream_call_seconds_count", "ListRooms", "ok", "livekit"] == number
                assert (
                    found["upstream_call_seconds_sum", "ListRooms", "ok", "livekit"] == number / 2
                )
                assert found["rooms_per_read_sum",] == 3 * number

    def test_are_told_apart_by_outcome_and_reason(self, metrics: Metrics) -> None:
        called(metrics, Outcome.LOST)
        found = samples(metrics)
        assert found["upstream_call_seconds_count", "ListRooms", "lost", "livekit"] == 1
        assert found["upstream_retries_total", "lost", "livekit"] == 0
        assert ("upstream_last_ok_timestamp_seconds", "livekit") not in found
        called(metrics, Outcome.OK, attempt=Attempt.LOST)
        found = samples(metrics)
        assert found["upstream_retries_total", "lost", "livekit"] == 1
        assert ("upstream_last_ok_timestamp_seconds", "livekit") in found

    def test_have_spans_too(self, metrics: Metrics) -> None:
        exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("tests")
        spans = call_spans(tracer, "livekit", "http://127.0.0.1")
        telemetry = metrics.listen("livekit", spans)
        with tracer.start_as_current_span("request"):
            origin = telemetry.current()
        telemetry.share([origin])
        info, headers = ("ListRooms", Attempt.FIRST, 2), dict[str, str]()
        report = report_call(telemetry, info, headers, lambda _: Outcome.LOST)
        assert report
        assert "traceparent" in headers
        report(ValueError())
        telemetry.connections(3)
        request, call = exporter.get_finished_spans()
        assert (call.name, call.parent) == ("livekit.RoomService/ListRooms", request.context)
        found = samples(metrics)
        assert found["upstream_call_seconds_count", "ListRooms", "lost", "livekit"] == 1
        assert found["upstream_connections", "livekit"] == 3

    def test_are_kept_in_bounded_memory_without_requests(self, metrics: Metrics) -> None:
        note = metrics.listen("key-server", NO_TELEMETRY).ended
        assert note
        for _ in range(100):
            note((("GetKeySet", Attempt.FIRST, 0), Outcome.OK, 0.0, 0.1))
        assert len(metrics.servers["key-server"].ended) < 64
        assert sum(metrics.calls.series["key-server", "GetKeySet", Outcome.OK].numbers) == 64
