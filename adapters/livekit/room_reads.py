"""Reads of rooms, gathered: what LiveKit can be asked at once it need not be asked in turn."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from attrs import define, field
from livekit.protocol.models import Room as LiveKitRoom

from domain.room import RoomName

Rooms = Mapping[RoomName, LiveKitRoom]


@define(kw_only=True, eq=False)
class RoomReads:
    """Lets the reads that arrive while one is under way leave together, once it is back.

    A read leaves after it was asked for, so nothing is ever answered from the past. Nobody waits
    for those who left before for longer than ``patience_s``, nor learns how they fared.
    """

    list_rooms: Callable[[Collection[RoomName]], Awaitable[Rooms]]
    max_names: int
    patience_s: float
    _names: set[RoomName] = field(init=False, factory=set)
    """Those who leave next; empty where nobody waits."""
    _answer: asyncio.Task[Rooms] | None = field(init=False, default=None)
    """What they are told, or where nobody waits, what those who left last are."""

    async def read(self, name: RoomName) -> LiveKitRoom | None:
        """Read a room; ``None`` where there is none of that name.

        Raises:
            RoomGatewayError: ``list_rooms`` failed, for all that left together.
        """
        if self._answer is None or len(self._names) not in range(1, self.max_names):
            self._names = {name}
            self._answer = asyncio.create_task(self._leave(self._names, after=self._answer))
            self._answer.add_done_callback(_look_at_outcome)
        self._names.add(name)
        return (await asyncio.shield(self._answer)).get(name)  # others wait for it, too

    async def _leave(self, names: set[RoomName], *, after: asyncio.Task[Rooms] | None) -> Rooms:
        if after is not None and not after.done():
            await asyncio.wait({after}, timeout=self.patience_s)
        if self._names is names:
            self._names = set()
        return await self.list_rooms(names)


def _look_at_outcome(answer: asyncio.Task[Rooms]) -> None:
    """Spare the log a failure that nobody is left to hear of."""
    if not answer.cancelled():
        answer.exception()
