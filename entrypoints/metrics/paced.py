"""Metrics written out at a bounded cost, however often they are asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from attrs import define, field

_PAUSES = 9.0  # for each second of writing


async def _nothing() -> None:
    pass


@define(eq=False)
class Paced:
    """Writes out for all who wait at once, and rests nine times as long as that took.

    It so takes a tenth of the event loop's time at most, and who asks gets no older numbers than
    those of the time of asking.
    """

    _write_out: Callable[[], bytes]
    _clock: Callable[[], float] = time.perf_counter
    _prepare: Callable[[], Awaitable[None]] = _nothing
    """Awaited before each writing; the time that it takes does not count."""
    _one_at_a_time: asyncio.Lock = field(init=False, factory=asyncio.Lock)
    _rested_at: float = field(init=False, default=0.0)
    _next: asyncio.Task[bytes] | None = field(init=False, default=None)

    async def __call__(self) -> bytes:
        """Return all metrics."""
        if self._next is None:
            self._next = asyncio.create_task(self._rest_and_write_out())
        return await asyncio.shield(self._next)

    async def _rest_and_write_out(self) -> bytes:
        async with self._one_at_a_time:
            if (left_s := self._rested_at - self._clock()) > 0:
                await asyncio.sleep(left_s)
            self._next = None
            await self._prepare()
            began = self._clock()
            try:
                return self._write_out()
            finally:
                ended = self._clock()
                self._rested_at = ended + _PAUSES * (ended - began)
