"""How many connections and requests there are, and how far a graceful shutdown has come."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, cast

from attrs import define, field

from entrypoints.http.server.errors import OverloadedError

_REJECTION_INTERVAL_S = 0.001  # some four times what a rejection costs
_MAX_REJECTION_DELAY_S = 1.0
_MAX_CANCELLATION_S = 1.0

TOO_MANY_IN_FLIGHT = "too many requests are in flight (MAX_IN_FLIGHT)"
_SHUTTING_DOWN = "the service is shutting down"


def _current_task() -> asyncio.Task[object]:
    return cast("asyncio.Task[object]", asyncio.current_task())


@define(kw_only=True)
class Traffic:
    """Counts connections and requests in flight, for load shedding and graceful shutdown.

    Requests that are receiving their body are in flight too, but have a limit of their own, or
    else clients that hold back their bodies would keep out those that do not.
    """

    max_in_flight: int
    """Of requests whose body is complete, and of those that are receiving it."""
    connections: int = 0
    refused_connections: int = 0
    """How many were closed without an answer."""
    shutting_down: bool = False
    """Whether a graceful shutdown has begun: requests are served, new clients are not wanted."""
    stopped: bool = False
    """Whether the time to drain is over: no request is served any more."""
    _next_rejection: float = field(init=False, default=0.0)
    """When the last rejection was, or is to be, sent."""
    _in_flight: set[asyncio.Task[object]] = field(init=False, factory=set)
    _receiving: set[asyncio.Task[object]] = field(init=False, factory=set)
    """Those in flight whose body is incomplete, or was when they arrived and has not been read."""
    _cancelled: set[asyncio.Task[object]] = field(init=False, factory=set)
    _empty: asyncio.Event = field(init=False, factory=asyncio.Event)

    @property
    def in_flight(self) -> int:
        """How many requests are being served."""
        return len(self._in_flight)

    @property
    def has_capacity(self) -> bool:
        """Whether one more request can be served whose body is complete."""
        return not self.stopped and self.in_flight - len(self._receiving) < self.max_in_flight

    @property
    def can_receive(self) -> bool:
        """Whether one more request can receive its body."""
        return len(self._receiving) < self.max_in_flight

    async def reject(self, problem: str) -> NoReturn:
        """Reject a request: at most one per millisecond, but each within a second.

        Clients that retry at once would otherwise take the time of the requests in flight.

        Raises:
            OverloadedError: always.
        """
        now = asyncio.get_running_loop().time()
        earliest = max(self._next_rejection + _REJECTION_INTERVAL_S, now)
        self._next_rejection = min(earliest, now + _MAX_REJECTION_DELAY_S)
        await asyncio.sleep(self._next_rejection - now)
        raise OverloadedError(f"{_SHUTTING_DOWN if self.stopped else problem}; retry later")

    @contextmanager
    def admit(self, *, receiving: bool = False) -> Iterator[None]:
        """Count the current task as a request in flight while the block runs.

        Raises:
            OverloadedError: it was cancelled, because the time to drain is over.
        """
        task = _current_task()
        self._in_flight.add(task)
        if receiving:
            self._receiving.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._cancelled:
                raise
            task.uncancel()
            raise OverloadedError(f"{_SHUTTING_DOWN}; retry later") from None
        finally:
            self._receiving.discard(task)
            self._in_flight.discard(task)
            if not self._in_flight:
                self._empty.set()

    async def end_receiving(self) -> None:
        """Count the current task as a request whose body is complete, or is not going to be read.

        Raises:
            OverloadedError: too many of these are in flight.
        """
        if not self._receiving or (task := _current_task()) not in self._receiving:
            return
        if not self.has_capacity:
            await self.reject(TOO_MANY_IN_FLIGHT)
        self._receiving.discard(task)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the requests in flight, then stop serving."""
        await self._wait_until_empty(timeout_s)
        await self.stop()

    async def stop(self) -> None:
        """Stop serving, and end the requests in flight, each of which gets its response."""
        if self.stopped:
            return
        self.stopped = True
        self._cancelled = self._in_flight.copy()
        for task in self._cancelled:
            task.cancel()
        await self._wait_until_empty(_MAX_CANCELLATION_S)

    async def _wait_until_empty(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._in_flight:
                    self._empty.clear()
                    await self._empty.wait()
