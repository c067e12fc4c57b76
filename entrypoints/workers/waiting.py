"""What the supervisor waits for: signals, messages of workers, and the time for something."""

import sched
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from attrs import define, field

from entrypoints.workers.seat import Seat


@define(eq=False)
class Waiting:
    """Waits for whichever comes first; it belongs to the process's main thread."""

    _later: sched.scheduler = field(init=False, factory=lambda: sched.scheduler(time.monotonic))
    _selector: selectors.BaseSelector = field(init=False, factory=selectors.PollSelector)
    _ends: tuple[socket.socket, socket.socket] = field(init=False, factory=socket.socketpair)
    """Where ``wake_up`` is noticed, and where it writes."""

    def let_signals_wake(self) -> None:
        """Let every signal that has a handler end the waiting."""
        woken, waker = self._ends
        for end in self._ends:
            end.setblocking(False)  # noqa: FBT003 - as in the standard library
        self._selector.register(woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def wake_up(self) -> None:
        """End the waiting; any thread may call it."""
        with suppress(BlockingIOError):
            self._ends[1].send(b".")

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Call a function after some seconds, while waiting."""
        self._later.enter(delay_s, 0, action)

    def add(self, seat: Seat) -> None:
        """Wait for a worker's messages, too."""
        self._selector.register(seat.other_end, selectors.EVENT_READ, seat)

    def remove(self, seat: Seat) -> None:
        """Wait for a worker's messages no more."""
        self._selector.unregister(seat.other_end)

    def wait(self, timeout_s: float) -> Sequence[Seat]:
        """Do what is due, then wait; return whose messages have come."""
        due_s = self._later.run(blocking=False)
        timeout_s = max(0.0, min(timeout_s, timeout_s if due_s is None else due_s))
        found = [key.data for key, _ in self._selector.select(timeout_s)]
        if None in found:
            with suppress(BlockingIOError):
                self._ends[0].recv(4096)
        return [seat for seat in found if seat is not None]

    def close(self) -> None:
        """Close it, as a worker does, which has inherited it."""
        for end in self._ends:
            end.close()
