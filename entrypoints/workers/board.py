"""A few bytes of memory that all processes see, and whose turn it is to write."""

import fcntl
import mmap
import os
import time

from attrs import define, field
from typing_extensions import override

from entrypoints.logs import Stderr

SEATS = 512
"""How many workers there can be at once, those that leave included; 0 is the supervisor."""
_STOPPING, _INCOMPLETE, _WRITING, _CONNECTIONS = 0, 1, 2, 2 + SEATS
_MANY = (1 << 16) - 1
_PIPE_BUF = 4096
"""What the system writes to a pipe without mixing it with what others write."""
_PATIENCE_S, _POLL_S = 1.0, 0.01


def _memory() -> "memoryview[int]":
    return memoryview(mmap.mmap(-1, 2 * (_CONNECTIONS + SEATS))).cast("H")


def _lock_file() -> int:
    return os.memfd_create("turns")


@define(eq=False)
class Board:
    """Notes of the supervisor for the workers, and of each worker for the supervisor.

    Made before the workers are forked. Each worker has a seat, whose number is free again once it
    has ended.
    """

    _notes: "memoryview[int]" = field(init=False, factory=_memory)

    @property
    def stopping(self) -> bool:
        """Whether the whole service is shutting down."""
        return bool(self._notes[_STOPPING])

    def stop(self) -> None:
        """Note that the service shuts down; a signal's handler may call it."""
        self._notes[_STOPPING] = 1

    @property
    def incomplete(self) -> bool:
        """Whether fewer workers than wanted are ready."""
        return bool(self._notes[_INCOMPLETE])

    @incomplete.setter
    def incomplete(self, value: bool) -> None:
        self._notes[_INCOMPLETE] = value

    def unready(self) -> str:
        """Say why the service is not ready, empty if it is."""
        if self.stopping:
            return "the service is shutting down"
        return "fewer workers than wanted are running" if self.incomplete else ""

    def is_writing(self, seat: int) -> bool:
        """Return whether a worker waits for the reader of the log or of the audit trail."""
        return bool(self._notes[_WRITING + seat])

    def note_writing(self, seat: int, *, writing: bool) -> None:
        """Note whether a worker writes."""
        self._notes[_WRITING + seat] = writing

    def is_turn(self, seat: int, connections: int) -> bool:
        """Note how many connections a worker has; return whether no other one has fewer."""
        place, own = _CONNECTIONS + seat, min(connections + 1, _MANY)
        self._notes[place] = own
        return own <= min(filter(None, self._notes[_CONNECTIONS : _CONNECTIONS + SEATS]))

    def leave(self, seat: int) -> None:
        """Note that a worker accepts no more connections than it has to."""
        self._notes[_CONNECTIONS + seat] = 0


@define(eq=False, kw_only=True)
class Turns:
    """Keeps lines that several processes write to the same pipe from mixing.

    The system does so for short lines alone, so these share a lock, which a longer one has for
    itself. It is the system's own lock of a file, so it is released whatever ends its holder.

    Attributes:
        seat: of the worker that writes; 0 is the supervisor, which waits a second at most.
    """

    board: Board
    seat: int = 0
    _file: int = field(factory=_lock_file)

    def take(self, length: int) -> None:
        """Wait until a line of so many bytes can be written; keep others waiting till ``end``."""
        self.board.note_writing(self.seat, writing=True)
        self._lock(fcntl.LOCK_SH if length <= _PIPE_BUF else fcntl.LOCK_EX)

    def end(self) -> None:
        """Let others write."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self.board.note_writing(self.seat, writing=False)

    def write(self, descriptor: int, line: bytes) -> int:
        """Write as much as possible of a line; return how many bytes were written.

        Raises:
            OSError: none of it could be.
        """
        written = 0
        self.take(len(line))
        try:
            while written < len(line):
                written += os.write(descriptor, line[written:])
        except OSError:
            if not written:
                raise
        finally:
            self.end()
        return written

    def _lock(self, kind: int) -> None:
        """Take the lock; the supervisor goes on without it, since its holder may be stopped."""
        if self.seat:
            fcntl.lockf(self._file, kind)
            return
        due = time.monotonic() + _PATIENCE_S
        while time.monotonic() < due:
            try:
                fcntl.lockf(self._file, kind | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_POLL_S)
            else:
                return


@define(eq=False)
class SharedStderr(Stderr):
    """Standard error, to which other processes write too."""

    _turns: Turns

    @override
    def write(self, text: str) -> None:
        self._turns.take(len(text) if text.isascii() else 4 * len(text))
        try:
            super().write(text)
        finally:
            self._turns.end()
