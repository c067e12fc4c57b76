"""Rates counted in this process."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from attrs import define, field
from typing_extensions import override

from application.ports.rate_limiter import FailureLimiter, RateLimiter
from domain.rate import Rate


@define(kw_only=True, eq=False)
class MovingWindow(RateLimiter, FailureLimiter):
    """Counts in any window of the rate's length, however windows are laid.

    Keys are forgotten once their window is empty. Beyond the bounds, which keep memory below some
    30 MB, those are forgotten first that were counted longest ago.
    """

    rate: Rate
    max_keys: int = 10_000
    max_times: int = 500_000
    _clock: Callable[[], float] = time.monotonic
    _times: OrderedDict[str, deque[float]] = field(init=False, factory=OrderedDict, repr=False)
    """When each key was last counted, at most ``quota`` times; the key last counted is last."""
    _number: int = field(init=False, default=0)
    """Of all times."""

    @override
    async def hit(self, key: str) -> float:
        wait_s = self.wait_s(key)
        if not wait_s:
            self.add(key)
        return wait_s

    @override
    def wait_s(self, key: str) -> float:
        times = self._times.get(key)
        if times is None or len(times) < self.rate.quota:
            return 0.0
        return max(0.0, times[0] + self.rate.window_s - self._clock())

    @override
    def add(self, key: str) -> None:
        now = self._clock()
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = deque(maxlen=self.rate.quota)
        self._number += len(times) < self.rate.quota
        times.append(now)
        self._times.move_to_end(key)
        self._forget(now)

    def _forget(self, now: float) -> None:
        while True:
            key, times = next(iter(self._times.items()))
            fits = len(self._times) <= self.max_keys and self._number <= self.max_times
            if fits and times[-1] + self.rate.window_s > now:
                return
            self._number -= len(times)
            del self._times[key]
