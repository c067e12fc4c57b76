"""An event loop whose clock a test can move forward, so that no test waits for a timeout."""

import asyncio

from typing_extensions import override


class MovableClockLoop(asyncio.SelectorEventLoop):
    """Runs real sockets and real time, and skips as much of it as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_s = 0.0

    @override
    def time(self) -> float:
        return super().time() + self._skipped_s

    def advance(self, seconds: float) -> None:
        """Make every timer fire that is due within so many seconds."""
        self._skipped_s += seconds


def advance_clock(seconds: float) -> None:
    """Move the running loop's clock forward."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, MovableClockLoop)
    loop.advance(seconds)
