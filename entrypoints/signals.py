"""SIGTERM, SIGINT and SIGHUP, once the service is ready to listen.

Until then ``entrypoints.main`` handles them.
"""

import asyncio
import os
import signal
from typing import cast

_LAST_RESORT_S = 3.0


class Signals:
    """Lets signals stop the current task.

    The first SIGTERM or SIGINT is awaited by the task, the next one cancels it. Signals that come
    before the task has seen the first one count as one: ``make`` and ``timeout`` send two.

    Attributes:
        hangup: set by each SIGHUP, and by whatever else asks for a reload.
        status: the exit status, 0 unless the task was cancelled by a signal.
    """

    def __init__(self) -> None:
        self.hangup = asyncio.Event()
        self.status = 0
        self._signalled = False
        self._stop = asyncio.Event()
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._task = cast("asyncio.Task[object]", asyncio.current_task())

    def handle(self) -> None:
        """Handle signals from now on, also a SIGHUP that came while it was blocked."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_hangup)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    async def wait_for_stop(self) -> None:
        """Wait for the first SIGTERM or SIGINT."""
        await self._stop.wait()
        self._stopping = True

    def _on_hangup(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.hangup.set)

    def _on_stop(self, number: int, _: object) -> None:
        if not self._signalled:
            self._signalled = True
            self._loop.call_soon_threadsafe(self._stop.set)
            return
        if not signal.getitimer(signal.ITIMER_REAL)[0]:  # the loop may be blocked, by the log
            signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + number))
            signal.setitimer(signal.ITIMER_REAL, _LAST_RESORT_S)
        self._loop.call_soon_threadsafe(self._cancel, 128 + number)

    def _cancel(self, status: int) -> None:
        if not self._stopping:
            signal.setitimer(signal.ITIMER_REAL, 0)
        elif not self.status:  # to cancel it again would interrupt what it does at its end
            self.status = status
            self._task.cancel()
