"""What a saboteur is: a room gateway over rooms in memory that breaks promises on purpose."""

import math
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from attrs import define, field, frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.ports.room_gateway import RoomGateway
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid


@frozen
class Wish:
    """A call of ``mute_track``."""

    participant: Participant
    sid: TrackSid
    muted: bool
    until: float


@define
class Saboteur(RoomGateway):
    """Honest in all that a subclass does not override."""

    rooms: InMemoryRooms
    _honest: RoomGateway = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._honest = InMemoryRoomGateway(self.rooms)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        return await self._honest.get_room(name, until=until)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        return await self.mute(Wish(participant, track_sid, muted, until))

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        await self._honest.verify_access(until=until)

    async def mute(self, wish: Wish) -> Track:
        return await self._honest.mute_track(
            wish.participant, wish.sid, muted=wish.muted, until=wish.until
        )

    def state(self, wish: Wish) -> Track | None:
        """Look at a track behind everybody's back."""
        return self.rooms.tracks.get(wish.participant, {}).get(wish.sid)

    def have(self, participant: Participant, sid: TrackSid, *, muted: bool) -> None:
        """Change a track behind everybody's back."""
        self.rooms.put_track(participant, Track(sid=sid, muted=muted))


@frozen
class Sabotage:
    """A saboteur, and the clauses that it breaks, each of them."""

    name: str
    clauses: tuple[str, ...]
    make: Callable[[InMemoryRooms], Saboteur]


S = TypeVar("S", bound=Saboteur)

LOOKS: dict[str, Callable[[str], str]] = {
    "Trims": str.strip,
    "Squeezes": lambda text: text.replace("  ", " "),
    "Folds": str.casefold,
    "Normalises": partial(unicodedata.normalize, "NFC"),
}
"""Ways to look at a name carelessly."""


class Roster(list[Sabotage]):
    """Saboteurs on duty."""

    def breaks(self, *clauses: str) -> Callable[[type[S]], type[S]]:
        """Enlist a class."""

        def enlist(saboteur: type[S]) -> type[S]:
            self.append(Sabotage(saboteur.__name__, clauses, saboteur))
            return saboteur

        return enlist
