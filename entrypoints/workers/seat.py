"""What a worker is given before it is forked, and what the supervisor knows of it."""

import faulthandler
import os
import time
from collections.abc import Callable, Sequence
from socket import socket

from attrs import define, field, frozen
from structlog.typing import FilteringBoundLogger

from entrypoints.container import Container
from entrypoints.settings.settings import Settings
from entrypoints.workers.board import Board, Turns
from entrypoints.workers.channel import Channel


@frozen(kw_only=True)
class Sockets:
    """What is listened on, for the service and for its metrics; both have several addresses."""

    service: Sequence[socket]
    metrics: Sequence[socket]


@frozen(kw_only=True)
class Service:
    """What the supervisor is given.

    Attributes:
        load: loads the settings again.
        on_ready: called once, when all workers are ready.
    """

    container: Container
    log: FilteringBoundLogger
    load: Callable[[], Settings]
    sockets: Sockets
    board: Board
    turns: Turns
    on_ready: Callable[[], None]


@define(kw_only=True, eq=False)
class Seat:
    """One worker's place.

    Attributes:
        number: of the seat on the board.
        slot: from 0 on; a worker's successor has the same.
        workers: how many share the bounds.
        generation: grows with each restart of all workers.
        settings: of the whole service.
        stack: a file in memory, for the Python stack of a worker that is blocked.
        stack_after_s: how long it may be blocked until the stack is written.
    """

    number: int
    slot: int
    workers: int
    generation: int
    is_first: bool
    settings: Settings
    reload_is_ok: bool
    loaded_s: float
    sockets: Sockets
    board: Board
    turns: Turns
    own_end: Channel
    other_end: Channel = field(repr=False)
    stack_after_s: float
    stack: int = field(init=False, factory=lambda: os.memfd_create("stack"))
    began_s: float = field(init=False, factory=time.monotonic)
    ready: bool = field(init=False, default=False)
    leaving: bool = field(init=False, default=False)
    told: bool = field(init=False, default=False)
    """Whether the log has been told that it is blocked."""

    def arm(self) -> None:
        """Have the stack written unless this is called again in time."""
        faulthandler.cancel_dump_traceback_later()
        os.ftruncate(self.stack, 0)  # of an earlier time
        os.lseek(self.stack, 0, os.SEEK_SET)
        faulthandler.dump_traceback_later(self.stack_after_s, file=self.stack)

    def stack_lines(self) -> Sequence[str]:
        """Return the stack that has been written, if there is one."""
        size = os.fstat(self.stack).st_size
        return os.pread(self.stack, size, 0).decode(errors="replace").splitlines()

    def close(self) -> None:
        """Close what the supervisor has of it."""
        self.other_end.close()
        os.close(self.stack)
