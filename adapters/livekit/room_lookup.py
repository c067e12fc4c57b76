"""Rooms found by name: concurrent lookups are batched, and each gets its own room or none."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from attrs import define, field
from livekit.api import ListRoomsResponse
from livekit.protocol.models import Room as LiveKitRoom

from adapters.http_client.errors import NO_ANSWER_IN_TIME
from adapters.http_client.telemetry import NO_TELEMETRY, Telemetry
from adapters.livekit.call import time_left_s
from adapters.livekit.errors import UnusableAnswerError
from application.ports.room_gateway import RoomGatewayError, RoomGatewayUnavailableError
from domain.room import Room, RoomName

_MAX_WAIT_S = 0.1
_Found = Mapping[RoomName, Room | RoomGatewayError]
"""The room of each name or why it could not be read; a name without a room is missing."""


@define(eq=False)
class _Batch:
    """Lookups that are sent together."""

    names: set[RoomName] = field(init=False, factory=set)
    origins: list[object] = field(init=False, factory=list)
    """What each of its lookups belongs to, for telemetry."""
    deadline: float = field(init=False, default=0.0)
    """The latest of its lookups'."""
    is_sent: bool = field(init=False, default=False)
    answer: asyncio.Future[_Found] = field(init=False)


@define(kw_only=True, eq=False)
class RoomLookup:
    """Sends lookups that arrive while a batch is under way together, once it has its answer.

    A lookup is always sent after it was asked for, so no answer comes from the past. A batch waits
    at most 0.1 s for the one before it, and does not see its errors.
    """

    list_rooms: Callable[[Collection[RoomName], float], Awaitable[ListRoomsResponse]]
    """Reads rooms by their names, by a deadline."""
    max_names: int
    telemetry: Telemetry = NO_TELEMETRY
    _newest: _Batch | None = field(init=False, default=None)

    async def find(self, name: RoomName, deadline: float) -> Room | None:
        """Find a room by its exact name; ``None`` where there is none.

        Raises:
            RoomGatewayError: it could not be read by the deadline.
        """
        left_s = time_left_s(deadline)
        if self._newest is None or self._newest.answer.done():
            return await self._find_alone(name, deadline)
        batch = self._open_batch()
        batch.names.add(name)
        batch.origins.append(self.telemetry.current())
        batch.deadline = max(batch.deadline, deadline)
        await asyncio.wait({batch.answer}, timeout=left_s)  # does not cancel it: it is shared
        if not batch.answer.done():
            raise RoomGatewayUnavailableError(reason=NO_ANSWER_IN_TIME)
        found = batch.answer.result().get(name)
        if isinstance(found, RoomGatewayError):
            raise found.with_traceback(None)  # or it would grow with each lookup of the batch
        return found

    async def _find_alone(self, name: RoomName, deadline: float) -> Room | None:
        """Find a room at once, in this task; lookups that arrive meanwhile are the next batch."""
        self._newest = batch = _Batch()
        batch.is_sent, batch.answer = True, asyncio.get_running_loop().create_future()
        try:
            return select_rooms([name], await self.list_rooms([name], deadline)).get(name)
        finally:
            batch.answer.set_result({})

    def _open_batch(self) -> _Batch:
        previous = self._newest
        if previous and not previous.is_sent and len(previous.names) < self.max_names:
            return previous
        self._newest = batch = _Batch()
        batch.answer = asyncio.create_task(self._send(batch, previous))
        return batch

    async def _send(self, batch: _Batch, previous: _Batch | None) -> _Found:
        if previous is not None and not previous.answer.done():
            await asyncio.wait({previous.answer}, timeout=_MAX_WAIT_S)
        del previous  # or else the traceback of an error would keep every batch before it alive
        batch.is_sent = True
        self.telemetry.share(batch.origins)
        try:
            return await self._list_rooms(batch.names, batch.deadline)
        except RoomGatewayError as error:
            return dict.fromkeys(batch.names, error)

    async def _list_rooms(self, names: Collection[RoomName], deadline: float) -> _Found:
        """Read rooms together; each alone where the answer about all of them is unusable.

        One of them may make it so, for instance by its size.
        """
        try:
            return select_rooms(names, await self.list_rooms(names, deadline))
        except UnusableAnswerError:
            if len(names) == 1:
                raise
        found: dict[RoomName, Room | RoomGatewayError] = {}
        for name in names:
            try:
                found |= select_rooms([name], await self.list_rooms([name], deadline))
            except RoomGatewayError as error:
                found[name] = error
        return found


def select_rooms(names: Collection[RoomName], answer: ListRoomsResponse) -> dict[RoomName, Room]:
    """Take the rooms of these names from an answer that holds no others and none twice.

    Raises:
        UnusableAnswerError: the answer holds anything else; none of it is to be trusted.
    """
    if len(answer.rooms) > len(names):  # before indexing them: there may be 600,000
        raise UnusableAnswerError(reason="answered with more rooms than asked for")
    found = {room.name: room for room in map(_read, answer.rooms)}
    if len(found) < len(answer.rooms) or not found.keys() <= set(names):
        raise UnusableAnswerError(reason="answered about another room")
    if not found and answer.ByteSize():
        raise UnusableAnswerError(reason="answered with something else than rooms")
    return found


def _read(room: LiveKitRoom) -> Room:  # without its metadata, of which a batch may have 8 MiB
    return Room.from_metadata(RoomName(room.name), room.metadata)
