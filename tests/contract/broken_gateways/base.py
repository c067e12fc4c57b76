"""Room gateways over rooms in memory that break promises on purpose."""

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from attrs import define, field, frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from domain.room import Room, RoomName
from domain.track import ListedParticipant, Participant, PublishedTrack, Track, TrackSid
from tests.support.rooms.arranged import DeniableRooms


@frozen
class MuteRequest:
    """A call of ``mute_track``."""

    participant: Participant
    sid: TrackSid
    muted: bool
    room_was_read: bool
    deadline: float


@define
class BrokenGateway(RoomGateway):
    """Correct in all that a subclass does not override."""

    rooms: DeniableRooms
    _correct: RoomGateway = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._correct = InMemoryRoomGateway(self.rooms)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        return await self._correct.get_room(name, deadline=deadline)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        return await self.mute(MuteRequest(participant, track_sid, muted, room_was_read, deadline))

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        return await self._correct.list_participants(room, deadline=deadline)

    @override
    async def verify_access(self, *, deadline: float) -> None:
        await self._correct.verify_access(deadline=deadline)

    async def mute(self, request: MuteRequest) -> Track:
        return await self._correct.mute_track(
            request.participant,
            request.sid,
            muted=request.muted,
            room_was_read=request.room_was_read,
            deadline=request.deadline,
        )

    def state(self, request: MuteRequest) -> PublishedTrack | None:
        """Look at a track without the gateway."""
        return self.rooms.tracks.get(request.participant, {}).get(request.sid)

    def have(self, participant: Participant, sid: TrackSid, *, muted: bool) -> None:
        """Change a track without the gateway."""
        self.rooms.put_track(participant, PublishedTrack(sid=sid, muted=muted))


@frozen
class Breakage:
    """A broken gateway, and each clause that it breaks."""

    name: str
    clauses: tuple[str, ...]
    make: Callable[[DeniableRooms], BrokenGateway]


S = TypeVar("S", bound=BrokenGateway)

LOOKS: dict[str, Callable[[str], str]] = {
    "Trims": str.strip,
    "Squeezes": lambda text: text.replace("  ", " "),
    "Folds": str.casefold,
    "Normalises": partial(unicodedata.normalize, "NFC"),
}
"""Ways to compare names carelessly."""


class Breakages(list[Breakage]):
    """A list of broken gateways."""

    def breaks(self, *clauses: str) -> Callable[[type[S]], type[S]]:
        """Add a class."""

        def register(broken_gateway: type[S]) -> type[S]:
            self.append(Breakage(broken_gateway.__name__, clauses, broken_gateway))
            return broken_gateway

        return register
