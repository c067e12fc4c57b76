"""Reads of rooms, gathered: what LiveKit can be asked at once it need not be asked in turn."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from attrs import define, field
from livekit.protocol.models import Room as LiveKitRoom

from adapters.livekit.errors import translate
from application.ports.room_gateway import RoomGatewayError
from domain.room import RoomName

Rooms = Mapping[RoomName, LiveKitRoom | RoomGatewayError]
"""What was found under each name, or why that cannot be told; nothing where nothing is."""

_PATIENCE_S = 0.1


@define(eq=False)
class _Group:
    """Reads that leave together, and what they are told."""

    names: set[RoomName] = field(init=False, factory=set)
    until: float = field(init=False, default=0.0)
    """When the last of them gives up."""
    has_left: bool = field(init=False, default=False)
    answer: asyncio.Task[Rooms] = field(init=False)


@define(kw_only=True, eq=False)
class RoomReads:
    """Lets the reads that arrive while one is under way leave together, once it is back.

    A read leaves after it was asked for, so nothing is ever answered from the past. Nobody waits
    for those who left before for longer than 0.1 s, nor learns how they fared.
    """

    list_rooms: Callable[[Collection[RoomName], float], Awaitable[Rooms]]
    """Looks rooms up by their names, until a time of the event loop's."""
    max_names: int
    _newest: _Group | None = field(init=False, default=None)

    async def read(self, name: RoomName, until: float) -> LiveKitRoom | None:
        """Read a room, until a time of the loop's; ``None`` where there is none of that name.

        Raises:
            RoomGatewayError: it could not be read.
        """
        group = self._newest
        if group is None or group.has_left or len(group.names) >= self.max_names:
            group = self._newest = self._make_group(behind=group)
        group.names.add(name)
        group.until = max(group.until, until)
        try:
            async with asyncio.timeout_at(until):
                found = (await asyncio.shield(group.answer)).get(name)  # others wait for it, too
        except TimeoutError as error:
            raise translate(error) from None
        if isinstance(found, RoomGatewayError):
            raise found
        return found

    def _make_group(self, *, behind: _Group | None) -> _Group:
        group = _Group()
        group.answer = asyncio.create_task(self._leave(group, behind))
        group.answer.add_done_callback(_look_at_outcome)
        return group

    async def _leave(self, group: _Group, behind: _Group | None) -> Rooms:
        if behind is not None and not behind.answer.done():
            await asyncio.wait({behind.answer}, timeout=_PATIENCE_S)
        group.has_left = True
        return await self.list_rooms(group.names, group.until)


def _look_at_outcome(answer: asyncio.Task[Rooms]) -> None:
    """Spare the log a failure that nobody is left to hear of."""
    if not answer.cancelled():
        answer.exception()
