"""Idle keep-alive connections, kept for a while for other exchanges."""

import asyncio

from attrs import define, field

from adapters.http_client.connection import Connection

_MAX_IDLE_S = 30.0


@define(eq=False)
class IdleConnections:
    """Keeps open connections that carry no exchange; one that is idle for 30 s is closed."""

    _since: dict[Connection, float] = field(init=False, factory=dict)
    """The instant since when each is idle, on the event loop's clock, oldest first."""
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    def add(self, connection: Connection) -> None:
        """Keep a connection."""
        now = self._loop.time()
        self._since[connection] = now
        if self._timer is None:
            self._close_old_at(now + _MAX_IDLE_S)

    def take(self) -> Connection | None:
        """Take the connection that was used last, which is the least likely to be broken."""
        earliest = self._loop.time() - _MAX_IDLE_S
        while self._since:
            connection, since = self._since.popitem()
            if since >= earliest and not connection.is_closed:
                return connection
            connection.close()
        return None

    def remove(self, connection: Connection) -> None:
        """Keep a connection no longer, if it is kept."""
        self._since.pop(connection, None)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._since:
            connection.close()
        self._since.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_old_at(self, instant: float) -> None:
        self._timer = self._loop.call_at(instant, self._close_old)

    def _close_old(self) -> None:
        """Close what has been idle for too long, and look again when the next one will have."""
        self._timer = None
        now = self._loop.time()
        for connection, since in list(self._since.items()):
            if since + _MAX_IDLE_S > now:
                self._close_old_at(since + _MAX_IDLE_S)
                break
            del self._since[connection]
            connection.close()
