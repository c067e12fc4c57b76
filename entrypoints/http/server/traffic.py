"""How many connections and requests there are, and how far a graceful shutdown has come."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, cast

from attrs import define, field

from entrypoints.http.server.entrance import Entrance
from entrypoints.http.server.errors import OverloadedError
from entrypoints.http.server.fair_share import FairShare

_MAX_CANCELLATION_S = 1.0

_TOO_MANY_IN_FLIGHT = "too many requests are in flight (MAX_IN_FLIGHT)"
_TOO_MANY_OF_TENANT = (
    "too many requests are in flight, and the tenant has its share (MAX_IN_FLIGHT_PER_TENANT)"
)
_SHUTTING_DOWN = "the service is shutting down"


# Every request is served by a task.
_current_task = cast("Callable[[], asyncio.Task[object]]", asyncio.current_task)


@define
class _Pace:
    """How fast requests are rejected."""

    interval_s: float
    max_delay_s: float
    _last: float = field(init=False, default=0.0)
    """When the last rejection was, or is to be, sent."""

    def delay_s(self) -> float:
        """Return how long the next rejection has to wait."""
        now = asyncio.get_running_loop().time()
        self._last = min(max(self._last + self.interval_s, now), now + self.max_delay_s)
        return self._last - now


@define(kw_only=True)
class Traffic:
    """Counts connections and requests in flight, for load shedding and graceful shutdown.

    Requests that are receiving their body are in flight too, but have a limit of their own, or
    else clients that hold back their bodies would keep out those that do not. Each request may
    have a key, which says whose it is: first by its token, then by its tenant. Those with a key
    share the places fairly (``FairShare``).
    """

    max_in_flight: int
    """Of requests whose body is complete, and of those that are receiving it."""
    max_in_flight_per_key: int = 1
    """The share that a key gets while others want in."""
    connections: int = 0
    refused_connections: int = 0
    """How many were closed without an answer."""
    shutting_down: bool = False
    """Whether a graceful shutdown has begun: requests are served, new clients are not wanted."""
    stopped: bool = False
    """Whether the time to drain is over: no request is served any more."""
    _pace: _Pace = field(init=False, factory=lambda: _Pace(0.001, 1.0))
    """The interval is some four times what a rejection costs."""
    _slow_pace: _Pace = field(init=False, factory=lambda: _Pace(0.004, 4.0))
    """Of rejections of those with a key, while there are others whose time they take."""
    _places: FairShare = field(init=False)
    _entrance: Entrance = field(init=False, factory=Entrance)
    _in_flight: dict[asyncio.Task[object], Hashable] = field(init=False, factory=dict)
    """Whose each request in flight is."""
    _receiving: set[asyncio.Task[object]] = field(init=False, factory=set)
    """Those in flight whose body is incomplete, or was when they arrived and has not been read."""
    _beyond: set[asyncio.Task[object]] = field(init=False, factory=set)
    """Those in flight that were let in beyond the limit, to see whose they are."""
    _cancelled: set[asyncio.Task[object]] = field(init=False, factory=set)
    _empty: asyncio.Event = field(init=False, factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        share = min(self.max_in_flight, self.max_in_flight_per_key)
        self._places = FairShare(limit=self.max_in_flight, share=share)

    @property
    def in_flight(self) -> int:
        """How many requests are being served."""
        return len(self._in_flight)

    @property
    def places_taken(self) -> int:
        """How many requests in flight have a complete body, and so a place."""
        return self._places.taken

    @property
    def has_capacity(self) -> bool:
        """Whether one more request can be served whose body is complete, whosever it is."""
        return self.has_capacity_for(None)

    def has_capacity_for(self, key: Hashable) -> bool:
        """Return whether one more request of a key can be served whose body is complete."""
        return not self.stopped and self._places.has_place(key)

    @property
    def can_receive(self) -> bool:
        """Whether one more request can receive its body."""
        return len(self._receiving) < self.max_in_flight

    async def reject(
        self, problem: str = _TOO_MANY_IN_FLIGHT, *, reason: str = "", key: Hashable = None
    ) -> NoReturn:
        """Reject a request: at most one per millisecond, but each within a second.

        Clients that retry at once would otherwise take the time of the requests in flight. While
        several keys want in, those with a key are rejected at most every four milliseconds, but
        within four seconds, and take turns with the requests that begin.

        Args:
            problem: what the client is told.
            reason: what the log says, where that is something else.
            key: whose request it is.

        Raises:
            OverloadedError: always.
        """
        self._leave(_current_task())  # a request that waits for its rejection takes no place
        is_slow = key is not None and self._entrance.is_shared
        await asyncio.sleep((self._slow_pace if is_slow else self._pace).delay_s())
        if is_slow:
            await self._entrance.enter_rejected()
        if self.stopped:
            problem, reason = _SHUTTING_DOWN, ""
        raise OverloadedError(problem, reason=reason)

    @contextmanager
    def admit(self, key: Hashable = None, *, receiving: bool = False) -> Iterator[None]:
        """Count the current task as a request in flight while the block runs.

        Raises:
            OverloadedError: it was cancelled, because the time to drain is over.
        """
        task = _current_task()
        self._in_flight[task] = key
        if self._places.taken >= self.max_in_flight:
            self._beyond.add(task)
        if receiving:
            self._receiving.add(task)
        else:
            self._places.take(key)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._cancelled:
                raise
            task.uncancel()
            raise OverloadedError(_SHUTTING_DOWN) from None
        finally:
            self._leave(task)

    @property
    def is_beyond(self) -> bool:
        """Whether the current task was let in beyond the limit, to see whose request it is."""
        return bool(self._beyond) and _current_task() in self._beyond

    async def belongs_to(self, key: Hashable) -> None:
        """Note whose request the current task is, ``None`` for nobody's, and wait for its turn.

        Raises:
            OverloadedError: it was let in beyond the limit, and there is no place for this key.
        """
        task = _current_task()
        if task not in self._receiving:
            self._places.give_back(self._in_flight[task])
            self._places.take(key)
        self._in_flight[task] = key
        if task in self._beyond:
            self._beyond.discard(task)
            await self._expect_place(task)
        if key is not None and self._entrance.is_shared_with(key):
            restrained = self._places.taken_by(key) >= self._places.share
            await self._entrance.enter(key, restrained=restrained)

    async def end_receiving(self) -> None:
        """Count the current task as a request whose body is complete, or is not going to be read.

        Raises:
            OverloadedError: too many of these are in flight.
        """
        if not self._receiving or (task := _current_task()) not in self._receiving:
            return
        await self._expect_place(task)
        if not self.has_capacity:
            self._beyond.add(task)
        self._receiving.discard(task)
        self._places.take(self._in_flight[task])

    async def _expect_place(self, task: asyncio.Task[object]) -> None:
        """Reject a request unless there is a place for it, beside the one that it has."""
        key, has_place = self._in_flight[task], task not in self._receiving
        if has_place:
            self._places.give_back(key)
        is_admitted = self.has_capacity_for(key)
        is_alone = key is None or self._places.taken_by(key) == self._places.taken
        if has_place:
            self._places.take(key)
        if not is_admitted:
            await self.reject(reason="" if is_alone else _TOO_MANY_OF_TENANT, key=key)

    def _leave(self, task: asyncio.Task[object]) -> None:
        """Count a request no longer, if it is counted."""
        if task not in self._in_flight:
            return
        key = self._in_flight.pop(task)
        self._beyond.discard(task)
        if task in self._receiving:
            self._receiving.discard(task)
        else:
            self._places.give_back(key)
        if not self._in_flight:
            self._empty.set()

    async def drain(self, timeout_s: float) -> None:
        """Wait for the requests in flight, then stop serving."""
        await self._wait_until_empty(timeout_s)
        await self.stop()

    async def stop(self) -> None:
        """Stop serving, and end the requests in flight, each of which gets its response."""
        if self.stopped:
            return
        self.stopped = True
        self._cancelled = set(self._in_flight)
        for task in self._cancelled:
            task.cancel()
        await self._wait_until_empty(_MAX_CANCELLATION_S)

    async def _wait_until_empty(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._in_flight:
                    self._empty.clear()
                    await self._empty.wait()
