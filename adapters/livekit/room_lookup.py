"""Rooms found by name: concurrent lookups are batched, and each gets its own room or none."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import cast

from attrs import define, field
from livekit.api import ListRoomsResponse
from livekit.protocol.models import Room as LiveKitRoom

from adapters.http_client.errors import NO_ANSWER_IN_TIME
from adapters.http_client.telemetry import NO_TELEMETRY, Telemetry
from adapters.http_client.turns import Turns
from adapters.livekit.call import time_left_s
from adapters.livekit.errors import UnusableAnswerError
from adapters.livekit.load_of_tenants import Batch, LoadOfTenants
from application.ports.room_gateway import RoomGatewayError, RoomGatewayUnavailableError
from application.ports.turns import TENANT
from domain.room import Room, RoomName

_MAX_WAIT_S = 0.1
_Found = Mapping[RoomName, Room | RoomGatewayError]
"""The room of each name or why it could not be read; a name without a room is missing."""


@define(eq=False)
class _Lookup:
    """A lookup that waits to be sent with others, and for its answer."""

    name: RoomName
    deadline: float
    origin: object
    """What it belongs to, for telemetry."""
    whose: Hashable
    found: asyncio.Future[Room | Exception | None]

    def end(self, found: Room | Exception | None) -> None:
        """Give it its room or an error, unless it has either, or was given up."""
        if not self.found.done():
            self.found.set_result(found)

    def time_out(self) -> None:
        """End it without an answer."""
        self.end(RoomGatewayUnavailableError(reason=NO_ANSWER_IN_TIME))


@define(eq=False)
class _Chain:
    """Batches of which each waits for the one before, and the lookups for the next ones."""

    newest: Batch | None = None
    """Done once the newest batch has its answer."""
    is_sent: bool = field(init=False, default=True)
    """Whether the newest batch is, so that it takes no more lookups."""
    waiting: Turns[_Lookup] = field(init=False, factory=Turns)

    @property
    def is_idle(self) -> bool:
        return self.newest is None or self.newest.done()


@define(kw_only=True, eq=False)
class RoomLookup:
    """Sends lookups that arrive while a batch is under way together, once it has its answer.

    A lookup is always sent after it was asked for, so no answer comes from the past. A batch waits
    at most 0.1 s for the one before it, and does not see its errors. The rooms of a tenant with
    many lookups, or about whose rooms LiveKit is slow, are read apart from those of others; where
    more of the others wait than a batch takes, they take turns.
    """

    list_rooms: Callable[[Collection[RoomName], float], Awaitable[ListRoomsResponse]]
    """Reads rooms by their names, by a deadline."""
    max_names: int
    telemetry: Telemetry = NO_TELEMETRY
    _common: _Chain = field(init=False, factory=_Chain)
    _apart: dict[Hashable, _Chain] = field(init=False, factory=dict)
    """The batches of each tenant with many lookups or slow ones."""
    _load: LoadOfTenants = field(init=False, factory=LoadOfTenants)
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)

    async def find(self, name: RoomName, deadline: float) -> Room | None:
        """Find a room by its exact name; ``None`` where there is none.

        Raises:
            RoomGatewayError: it could not be read by the deadline.
        """
        time_left_s(deadline, self._loop.time())
        whose = TENANT.get()
        chain = self._chain_of(whose)
        self._load.begin(whose)
        try:
            if chain.is_idle:
                return await self._find_alone(chain, name, deadline, whose)
            return await self._find_with_others(chain, name, deadline, whose)
        finally:
            if self._load.end(whose):
                self._apart.pop(whose, None)

    def _chain_of(self, whose: Hashable) -> _Chain:
        """Return the chain for the next lookup of a tenant."""
        apart = self._apart.get(whose)
        if apart is not None and not apart.is_idle:
            return apart
        if not self._load.is_heavy(whose):
            self._apart.pop(whose, None)
            return self._common
        if apart is None:
            self._apart[whose] = apart = _Chain(newest=self._load.newest_batch(whose))
            for lookup in self._common.waiting.pop_all(whose):
                self._add(apart, lookup)
        return apart

    async def _find_alone(
        self, chain: _Chain, name: RoomName, deadline: float, whose: Hashable
    ) -> Room | None:
        """Find a room at once, in this task; lookups that arrive meanwhile are the next batch."""
        chain.newest, chain.is_sent = self._loop.create_future(), True
        batch = chain.newest
        self._load.sent(batch, {whose})
        try:
            return select_rooms([name], await self.list_rooms([name], deadline)).get(name)
        finally:
            batch.set_result(None)
            self._load.answered(batch, {whose})

    async def _find_with_others(
        self, chain: _Chain, name: RoomName, deadline: float, whose: Hashable
    ) -> Room | None:
        """Find a room in one of the next batches of a chain."""
        lookup = _Lookup(
            name, deadline, self.telemetry.current(), whose, self._loop.create_future()
        )
        self._add(chain, lookup)
        timer = self._loop.call_at(deadline, lookup.time_out)
        try:
            found = await lookup.found
        finally:
            timer.cancel()
        if isinstance(found, RoomGatewayError):
            raise found.with_traceback(None)  # or it would grow with each lookup of the batch
        if isinstance(found, Exception):
            raise found
        return found

    def _add(self, chain: _Chain, lookup: _Lookup) -> None:
        """Let a lookup wait for the next batch of a chain."""
        chain.waiting.add(lookup.whose, lookup)
        if chain.is_sent:
            chain.is_sent = False
            chain.newest = asyncio.create_task(self._send_next(chain, chain.newest))

    async def _send_next(self, chain: _Chain, previous: Batch | None) -> None:
        if previous is not None and not previous.done():
            await asyncio.wait({previous}, timeout=_MAX_WAIT_S)
        del previous  # or else the traceback of an error would keep every batch before it alive
        batch = cast("asyncio.Task[None]", asyncio.current_task())
        lookups = self._take(chain)
        chain.is_sent = True
        if chain.waiting.by_key:
            chain.is_sent = False
            chain.newest = asyncio.create_task(self._send_next(chain, chain.newest))
        if not lookups:
            return
        whose = frozenset(lookup.whose for lookup in lookups)
        TENANT.set(whose)  # a batch waits for a connection beside the calls of each of them
        self.telemetry.share([lookup.origin for lookup in lookups])
        self._load.sent(batch, whose)
        try:
            await self._answer(lookups)
        finally:
            self._load.answered(batch, whose)

    def _take(self, chain: _Chain) -> list[_Lookup]:
        """Take the lookups of the next batch; those of a slow tenant go to a chain of its own."""
        if chain is self._common:
            for whose in list(chain.waiting.by_key):
                if self._load.is_heavy(whose):
                    self._apart[whose] = apart = _Chain()  # it has waited for the one before
                    for lookup in chain.waiting.pop_all(whose):
                        self._add(apart, lookup)
        names, lookups = set[RoomName](), list[_Lookup]()
        while chain.waiting.by_key and len(names) < self.max_names:
            lookup = chain.waiting.pop()
            names.add(lookup.name)
            lookups.append(lookup)
        return lookups

    async def _answer(self, lookups: Sequence[_Lookup]) -> None:
        """Read the rooms of some lookups together, and give each its own."""
        names = {lookup.name for lookup in lookups}
        found: _Found | Exception
        try:
            found = await self._list_rooms(names, max(lookup.deadline for lookup in lookups))
        except Exception as error:  # noqa: BLE001 - each lookup raises it
            found = error
        for lookup in lookups:
            lookup.end(found if isinstance(found, Exception) else found.get(lookup.name))

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
