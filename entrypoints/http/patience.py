"""How long a silent client is waited for."""

import asyncio
from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class Patience:
    """Does something once so many seconds have passed since it was started, unless stopped."""

    _seconds: float
    _then: Callable[[], None]
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    def start(self) -> None:
        """Begin to wait, where that has not begun."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._lose)

    def stop(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self) -> None:
        self._timer = None
        self._then()
