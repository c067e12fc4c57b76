"""Requests that passed because their rate could not be known."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from attrs import define, field

_log = logging.getLogger(__name__)
_INTERVAL_S = 60.0


class Cause(StrEnum):
    """Why a rate is not known; the values are those of a metric's label."""

    SLOW = "slow"
    FAILED = "failed"


@define(kw_only=True, eq=False)
class UnknownRates:
    """Counts them; the first is logged at once, then there is one message a minute at most.

    Attributes:
        passed: how many there were, by cause.
    """

    passed: Counter[Cause] = field(init=False, factory=Counter)
    _clock: Callable[[], float] = time.monotonic
    _unreported: int = field(init=False, default=0)
    _next_report: float = field(init=False, default=float("-inf"))

    def add(self, cause: Cause, reason: str) -> None:
        """Count a request."""
        self.passed[cause] += 1
        self._unreported += 1
        if (now := self._clock()) >= self._next_report:
            details = {"number": self._unreported, "reason": reason}
            _log.warning("rates not known, requests pass", extra=details)
            self._unreported, self._next_report = 0, now + _INTERVAL_S
