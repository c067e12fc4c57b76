"""How much longer a request may wait for those whom we ask on its behalf."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@define
class Deadline:
    """Runs from now for ``timeout_s``, and not while the client's own slowness is waited for."""

    timeout_s: float
    _started_s: float = field(init=False, factory=_now_s)

    def left_s(self) -> float:
        """Tell how many seconds are left; none are left at 0 and below."""
        return self._started_s + self.timeout_s - _now_s()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock while the block runs."""
        paused_s = _now_s()
        try:
            yield
        finally:
            self._started_s += _now_s() - paused_s
