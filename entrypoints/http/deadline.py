"""How much longer a request may wait for those whom we ask on its behalf."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field


@define
class Deadline:
    """Runs from now for ``timeout_s``, and not while the client's own slowness is waited for."""

    timeout_s: float
    _started_s: float = field(init=False, factory=time.monotonic)

    def left_s(self) -> float:
        """Tell how many seconds are left; none are left at 0 and below."""
        return self._started_s + self.timeout_s - time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock while the block runs."""
        paused_s = time.monotonic()
        try:
            yield
        finally:
            self._started_s += time.monotonic() - paused_s
