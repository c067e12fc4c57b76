"""What is open and in flight, and how far the server has gone on its way out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, cast

from attrs import define, field

from entrypoints.http.errors import OverloadedError

_PACE_S = 0.001  # some four times what a refusal costs
_MAX_PACED_S = 1.0


@define(kw_only=True)
class Traffic:
    """Knows how many requests are in flight, and when the last one has gone."""

    max_in_flight: int
    connections: int = 0
    leaving: bool = False
    """Told to stop: still serving, but not to be sent anything new."""
    over: bool = False
    """The time to finish is up: nobody is served any more."""
    _refused: float = field(init=False, default=0.0)
    """When the last request was, or is to be, refused."""
    _in_flight: set[asyncio.Task[object]] = field(init=False, factory=set)
    _given_up: set[asyncio.Task[object]] = field(init=False, factory=set)
    _empty: asyncio.Event = field(init=False, factory=asyncio.Event)

    @property
    def has_room(self) -> bool:
        """Whether one more request can be admitted."""
        return not self.over and len(self._in_flight) < self.max_in_flight

    async def refuse(self) -> NoReturn:
        """Refuse a request, in a flood of them one a millisecond, but each within a second.

        Clients that come back at once would else leave no time for those who are admitted.

        Raises:
            OverloadedError: always.
        """
        now = asyncio.get_running_loop().time()
        self._refused = min(max(self._refused + _PACE_S, now), now + _MAX_PACED_S)
        await asyncio.sleep(self._refused - now)
        raise OverloadedError("the service is busy; try again")

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Count the current task's request in while it runs.

        Raises:
            OverloadedError: it was given up, for the time to finish is up.
        """
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._in_flight.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            raise OverloadedError("the service is shutting down; try again") from None
        finally:
            self._in_flight.discard(task)
            if not self._in_flight:
                self._empty.set()

    async def drain(self, timeout_s: float) -> None:
        """Wait for the requests in flight; those that take longer are given up."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._in_flight:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            pass
        self.over = True
        self._given_up = self._in_flight.copy()
        for task in self._given_up:
            task.cancel()
