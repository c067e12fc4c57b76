"""How long a silent client is waited for."""

import asyncio
from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class Patience:
    """Lasts for so many seconds once it is put to the test."""

    _seconds: float
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    def start(self, give_up: Callable[[], None]) -> None:
        """Begin to wait, where that has not begun; ``give_up`` is called at the end."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end, give_up)

    def stop(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, give_up: Callable[[], None]) -> None:
        self._timer = None
        give_up()
