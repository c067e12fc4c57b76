"""What is open and in flight, and how far the server has gone on its way out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from entrypoints.http.errors import OverloadedError


@define(kw_only=True)
class Traffic:
    """Admits requests up to a bound, and knows when the last one has gone."""

    max_in_flight: int
    connections: int = 0
    leaving: bool = False
    """Told to stop: still serving, but not to be sent anything new."""
    over: bool = False
    """The time to finish is up: nobody is served any more."""
    _in_flight: set[asyncio.Task[object]] = field(init=False, factory=set)
    _given_up: set[asyncio.Task[object]] = field(init=False, factory=set)
    _empty: asyncio.Event = field(init=False, factory=asyncio.Event)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Count the current task's request in while it runs.

        Raises:
            OverloadedError: there is no room, or the time to finish is up.
        """
        task = asyncio.current_task()
        if task is None or self.over or len(self._in_flight) >= self.max_in_flight:
            raise OverloadedError("the service is busy; try again")
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
