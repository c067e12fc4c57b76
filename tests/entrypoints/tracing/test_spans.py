"""What is left at the end, and what OpenTelemetry's SDK logs."""

import logging
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from typing_extensions import override

from adapters.http_client.telemetry import NO_TELEMETRY
from entrypoints.tracing.otel.requests import RequestSpans
from entrypoints.tracing.otel.spans import Seldom, Spans


class _SlowProvider(TracerProvider):
    ended = threading.Event()

    @override
    def shutdown(self) -> None:
        self.ended.wait()


class TestClose:
    async def test_leaves_a_collector_that_does_not_answer(self) -> None:
        provider = _SlowProvider(shutdown_on_exit=False)
        tracer = provider.get_tracer("tests")
        spans = Spans(RequestSpans(tracer), lambda _: NO_TELEMETRY, provider)
        await spans.close()
        assert not provider.ended.is_set()
        provider.ended.set()


class TestLog:
    def test_has_each_message_once_a_minute_without_the_texts_of_errors(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        now = [0.0]
        logger = logging.getLogger("tests.of.tracing")
        logger.propagate = False
        logger.addHandler(Seldom(clock=lambda: now[0]))
        for now[0] in (0.0, 59.0, 60.0):
            logger.warning("Transient %s of %s", ConnectionError("s3cret"), "spans")
        logger.warning("100 % full")
        logger.info("unimportant")
        assert [(each.message, vars(each)["reason"]) for each in caplog.records] == [
            ("tracing problem", "Transient ConnectionError of spans"),
            ("tracing problem", "Transient ConnectionError of spans"),
            ("tracing problem", "100 % full"),
        ]
