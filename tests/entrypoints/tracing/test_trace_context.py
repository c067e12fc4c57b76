import tracemalloc
from collections.abc import Sequence

import pytest

from entrypoints.tracing.trace_context import parse_trace_context

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{PARENT}-01"


class TestTraceparent:
    @pytest.mark.parametrize(
        ("given", "passed_on"),
        [
            (GIVEN, GIVEN),
            (f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-00"),
            (f"00-{TRACE}-{PARENT}-ff", f"00-{TRACE}-{PARENT}-03"),
            (f"cc-{TRACE}-{PARENT}-01", GIVEN),
            (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be", GIVEN),
        ],
    )
    def test_is_passed_on_as_version_00(self, given: str, passed_on: str) -> None:
        trace = parse_trace_context([given], [])
        assert trace is not None
        assert trace.trace_id == TRACE
        assert trace.headers == {"traceparent": passed_on}

    @pytest.mark.parametrize(
        "given",
        [
            [],
            [""],
            [GIVEN, GIVEN],
            [f" {GIVEN}"],
            [f"{GIVEN}\n"],
            [GIVEN.upper()],
            [f"{GIVEN}-more"],
            [f"{GIVEN}0"],
            [GIVEN[:-1]],
            [f"cc-{TRACE}-{PARENT}-01x"],
            [f"ff-{TRACE}-{PARENT}-01"],
            [f"00-{'0' * 32}-{PARENT}-01"],
            [f"00-{TRACE}-{'0' * 16}-01"],
            [f"00-{TRACE[:-1]}g-{PARENT}-01"],
            [f"00-{TRACE[:-1]}\u0664-{PARENT}-01"],
        ],
    )
    def test_is_ignored_where_it_is_invalid(self, given: Sequence[str]) -> None:
        assert parse_trace_context(given, []) is None


class TestTracestate:
    @pytest.mark.parametrize(
        ("given", "passed_on"),
        [
            (["vendor=value"], "vendor=value"),
            (["a=1, tenant@system=2 "], "a=1,tenant@system=2"),
            (["a=1", "b=2"], "a=1,b=2"),
            (["a=1,,b=2"], "a=1,b=2"),
            ([f"a={'x' * 254}"], f"a={'x' * 254}"),
        ],
    )
    def test_is_passed_on(self, given: Sequence[str], passed_on: str) -> None:
        trace = parse_trace_context([GIVEN], given)
        assert trace is not None
        assert trace.headers == {"traceparent": GIVEN, "tracestate": passed_on}

    @pytest.mark.parametrize(
        "given",
        [
            [""],
            ["no-value"],
            ["Upper=1"],
            ["a=\u00e9"],
            ["a=1=2"],
            [f"a={'x' * 257}"],
            [f"a={'x' * 200}", f"b={'x' * 200}", f"c={'x' * 200}"],
            [",".join(f"a{number}=1" for number in range(33))],
        ],
    )
    def test_is_left_out_where_it_is_invalid_or_long(self, given: Sequence[str]) -> None:
        trace = parse_trace_context([GIVEN], given)
        assert trace is not None
        assert trace.headers == {"traceparent": GIVEN}

    def test_is_not_taken_apart_where_it_is_long(self) -> None:
        """Thousands of members would cost some ten times as much as the rest of a request."""
        tracemalloc.start()
        parse_trace_context([GIVEN], ["," * 160_000])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 400_000
