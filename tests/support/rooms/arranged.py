"""The back door to rooms that a test arranges in its own process."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from itertools import count
from typing import Protocol

from attrs import define, field
from typing_extensions import override

from adapters.in_memory.rooms import InMemoryRooms
from application.ports.room_gateway import RoomGatewayUnavailableError
from contract.livekit_answers import hang_up
from contract.livekit_double import LiveKitDouble
from contract.rooms import Rooms, kind_of
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid, TrackSource


class Arrangement(Protocol):
    """What rooms in memory and rooms behind the LiveKit double have in common."""

    metadata: dict[RoomName, str]
    tracks: dict[Participant, dict[TrackSid, PublishedTrack]]
    denied_mutes: Counter[Participant]
    denied_lookups: set[Participant]

    def put_room(self, name: RoomName, *, metadata: str = "") -> None: ...
    def put_participant(self, participant: Participant) -> None: ...
    def put_track(self, participant: Participant, track: PublishedTrack) -> None: ...
    def remove_track(self, participant: Participant, sid: TrackSid) -> None: ...
    def remove_participant(self, participant: Participant) -> None: ...


@define
class DeniableRooms(InMemoryRooms):
    """Rooms in memory that say whom a server would deny; the gateway to them has none to ask."""

    denied_mutes: Counter[Participant] = field(init=False, factory=Counter)
    denied_lookups: set[Participant] = field(init=False, factory=set)


@define
class ArrangedRooms(Rooms):
    """Rooms in an arrangement, and what cuts gateways off from them for a while."""

    _arrangement: Arrangement
    _cut_off: Callable[[], AbstractContextManager[None]]
    _numbers: "count[int]" = field(init=False, factory=count)

    @override
    async def open(self, name: RoomName | None = None, *, metadata: str = "") -> RoomName:
        opened = name or RoomName(f"room-{next(self._numbers)}")
        self._arrangement.put_room(opened, metadata=metadata)
        return opened

    @override
    async def set_metadata(self, name: RoomName, metadata: str) -> None:
        self._arrangement.put_room(name, metadata=metadata)

    @override
    async def close(self, name: RoomName) -> None:
        del self._arrangement.metadata[name]

    @override
    async def join(self, room: RoomName, identity: ParticipantIdentity) -> Participant:
        participant = Participant(room=room, identity=identity)
        self._arrangement.put_participant(participant)
        return participant

    @override
    async def leave(self, participant: Participant) -> None:
        self._arrangement.remove_participant(participant)

    @override
    async def publish(
        self, participant: Participant, source: TrackSource = TrackSource.UNKNOWN
    ) -> TrackSid:
        sid = TrackSid(f"TR_track_{next(self._numbers)}")
        track = PublishedTrack(sid=sid, muted=False, kind=kind_of(source), source=source)
        self._arrangement.put_track(participant, track)
        return sid

    @override
    async def unpublish(self, participant: Participant, sid: TrackSid) -> None:
        self._arrangement.remove_track(participant, sid)

    @override
    async def is_muted(self, participant: Participant, sid: TrackSid) -> bool:
        return self._arrangement.tracks[participant][sid].muted

    @override
    async def deny_mutes(self, participant: Participant, *, times: int) -> None:
        self._arrangement.denied_mutes[participant] = times

    @override
    async def deny_lookups(self, participant: Participant) -> None:
        self._arrangement.denied_lookups.add(participant)

    @override
    def unreachable(self) -> AbstractAsyncContextManager[None]:
        return self._unreachable()

    @asynccontextmanager
    async def _unreachable(self) -> AsyncIterator[None]:
        with self._cut_off():
            yield


def behind_double(double: LiveKitDouble) -> ArrangedRooms:
    """Open the back door to the rooms of a LiveKit double."""
    return ArrangedRooms(double.rooms, partial(double.always, hang_up))


def in_memory(rooms: DeniableRooms) -> ArrangedRooms:
    """Open the back door to rooms in memory, for one call at a time while they are cut off."""
    return ArrangedRooms(rooms, partial(_fail_next, rooms))


@contextmanager
def _fail_next(rooms: InMemoryRooms) -> Iterator[None]:
    rooms.fail_next(RoomGatewayUnavailableError(reason="cut off by the test"))
    try:
        yield
    finally:
        rooms.failures.clear()
