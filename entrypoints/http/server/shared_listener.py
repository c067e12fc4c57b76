"""Accepting connections from a socket that other processes accept from too."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from attrs import define, field

from entrypoints.http.server.connection import Connection

_DEFERRED_S = 0.001
_PAUSE_S = 1.0
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@define(eq=False)
class SharedListener:
    """Accepts a connection at once where it is this process's turn, otherwise a bit later.

    All processes are woken by a connection, and the first one to accept it gets it, which would
    be the same one most of the time. So those whose turn it is not give way to the others for
    1 ms, and accept one if one is still there then: some other may be blocked.

    Attributes:
        connect: makes what serves a connection.
        bound: the socket.
        is_turn: is told how many connections are about to be served, and decides.
    """

    _connect: Callable[[], Connection]
    _bound: socket.socket
    _is_turn: Callable[[int], bool]
    _arriving: set["asyncio.Task[object]"] = field(init=False, factory=set)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """The socket."""
        return [self._bound]

    def listen(self, backlog: int) -> None:
        """Begin to accept."""
        self._bound.setblocking(False)  # noqa: FBT003 - as in the standard library
        self._bound.listen(backlog)
        self._resume()

    def close(self) -> None:
        """Accept no more in this process; to do so again has no effect."""
        if self._bound.fileno() < 0:
            return
        self._pause()
        if self._timer:
            self._timer.cancel()
        self._bound.close()

    def _resume(self) -> None:
        asyncio.get_running_loop().add_reader(self._bound.fileno(), self._accept_in_turn)

    def _pause(self) -> None:
        asyncio.get_running_loop().remove_reader(self._bound.fileno())

    def _accept_in_turn(self) -> None:
        if self._is_turn(len(self._arriving)):
            self._accept()
        else:
            self._give_way(_DEFERRED_S)

    def _give_way(self, seconds: float) -> None:
        self._pause()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        self._resume()
        self._accept()

    def _accept(self) -> None:
        try:
            client, _ = self._bound.accept()
        except OSError as error:
            if error.errno in _TOO_MANY_FILES:
                self._give_way(_PAUSE_S)
            return
        client.setblocking(False)  # noqa: FBT003
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(self._connect, client))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)
