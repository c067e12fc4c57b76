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
    def __init__(self, may_end: threading.Event) -> None:
        super().__init__(shutdown_on_exit=False)
        self.may_end = may_end

    @override
    def shutdown(self) -> None:
        self.may_end.wait()


class TestClose:
    async def test_leaves_a_collector_that_does_not_answer(self) -> None:
        may_end = threading.Event()
        provider = _SlowProvider(may_end)
        requests = RequestSpans(provider.get_tracer("tests"))
        try:
            await Spans(requests, lambda _: NO_TELEMETRY, provider).close()
        finally:
            may_end.set()


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
