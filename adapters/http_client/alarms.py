"""Timeouts of many waiters with one timer of the event loop, whose own take 4 us each in uvloop."""

import asyncio

from attrs import define, field


@define(eq=False)
class Alarms:
    """Wakes up waiters at their instants, by the event loop's clock.

    Its timer is left running where a waiter is gone before its instant, as nearly all are, so that
    the next one needs none of its own.
    """

    _loop: asyncio.AbstractEventLoop
    _instants: dict[asyncio.Future[None], float] = field(init=False, factory=dict)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)
    _rings_at: float = field(init=False, default=0.0)

    def set(self, at: float) -> asyncio.Future[None]:
        """Make a waiter that is done at an instant; it has to be taken out afterwards."""
        waiter = self._loop.create_future()
        self._instants[waiter] = at
        if self._timer is None or at < self._rings_at:
            self._start_timer(at)
        return waiter

    def take_out(self, waiter: asyncio.Future[None]) -> None:
        """Forget a waiter."""
        del self._instants[waiter]

    def close(self) -> None:
        """Stop the timer; nobody is woken up any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _start_timer(self, at: float) -> None:
        self.close()
        self._rings_at, self._timer = at, self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        """Wake up those whose instant has come, and wait for the next one."""
        self._timer, now = None, self._loop.time()
        later = []
        for waiter, at in self._instants.items():
            if at > now:
                later.append(at)
            elif not waiter.done():
                waiter.set_result(None)
        if later:
            self._start_timer(min(later))
