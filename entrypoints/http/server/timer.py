"""A restartable one-shot timer."""

import asyncio
from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class Timer:
    """Calls back once after a fixed delay in seconds, unless it is stopped before."""

    _delay_s: float
    _handle: asyncio.TimerHandle | None = field(init=False, default=None)

    def start(self, callback: Callable[[], None]) -> None:
        """Start the delay; does nothing where the timer is running already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(
                self._delay_s, self._fire, callback
            )

    def stop(self) -> None:
        """Stop the timer; does nothing where it is not running."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self, callback: Callable[[], None]) -> None:
        self._handle = None
        callback()
