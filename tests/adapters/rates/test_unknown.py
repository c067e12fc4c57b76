import logging

import pytest

from adapters.rates.unknown import Cause, UnknownRates


class TestUnknownRates:
    def test_are_logged_at_once_and_then_once_a_minute(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        now = 0.0
        rates = UnknownRates(clock=lambda: now)
        with caplog.at_level(logging.WARNING):
            for second in range(130):
                now = float(second)
                rates.add(Cause.SLOW, f"reason {second}")
        assert [(vars(one)["number"], vars(one)["reason"]) for one in caplog.records] == [
            (1, "reason 0"),
            (60, "reason 60"),
            (60, "reason 120"),
        ]
        assert rates.passed == {Cause.SLOW: 130}
