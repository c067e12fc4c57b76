"""Saboteurs of reading rooms and of verifying access."""

import math
from collections.abc import Callable
from functools import partial

from attrs import define, evolve, field
from typing_extensions import override

from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from tests.contract.saboteurs.base import LOOKS, Roster, Sabotage, Saboteur

SABOTEURS = Roster()


@SABOTEURS.breaks("1.1")
class FoldsOwners(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        room = await super().get_room(name, until=until)
        return evolve(room, owner=room.owner and room.owner.lower())


@SABOTEURS.breaks("1.1")
class ReportsAnotherName(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        return evolve(await super().get_room(name, until=until), name=RoomName(name.upper()))


@SABOTEURS.breaks("1.2")
class TakesNobodyForSomebody(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        room = await super().get_room(name, until=until)
        return evolve(room, owner=room.owner or "")


@SABOTEURS.breaks("1.3", "1.4", "1.6")
class FindsEveryRoom(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        try:
            return await super().get_room(name, until=until)
        except RoomNotFoundError:
            return Room(name=name, owner=None)


@SABOTEURS.breaks("1.3")
class TakesMissingForForeign(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        try:
            return await super().get_room(name, until=until)
        except RoomNotFoundError:
            raise RoomNotFoundError(RoomNotFoundReason.FOREIGN) from None


@define
class LooksCarelessly(Saboteur):
    _look: Callable[[str], str]

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        for each in self.rooms.metadata:
            if self._look(each) == self._look(name):
                return evolve(await super().get_room(each, until=until), name=name)
        return await super().get_room(name, until=until)


for _name, _look in LOOKS.items():
    SABOTEURS.append(
        Sabotage(f"{_name}RoomNames", ("1.4", "1.5"), partial(LooksCarelessly, look=_look))
    )


@SABOTEURS.breaks("1.6")
@define
class RemembersRooms(Saboteur):
    _seen: dict[RoomName, Room] = field(init=False, factory=dict)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        if name not in self._seen:
            self._seen[name] = await super().get_room(name, until=until)
        return self._seen[name]


@SABOTEURS.breaks("1.6")
@define
class RemembersMissingRooms(Saboteur):
    _missing: set[RoomName] = field(init=False, factory=set)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        if name in self._missing:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        try:
            return await super().get_room(name, until=until)
        except RoomNotFoundError:
            self._missing.add(name)
            raise


@SABOTEURS.breaks("1.7")
class TakesAnOutageForMissing(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        try:
            return await super().get_room(name, until=until)
        except RoomGatewayUnavailableError:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING) from None


@SABOTEURS.breaks("5.1")
class NeedsARoom(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        if not self.rooms.metadata:
            raise RoomGatewayRefusedError(reason="no room to try")
        await super().verify_access(until=until)


@SABOTEURS.breaks("5.1")
class TriesAMute(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        for participant, tracks in self.rooms.tracks.items():
            for sid in tracks:
                self.have(participant, sid, muted=True)
        await super().verify_access(until=until)


@SABOTEURS.breaks("5.1")
class TriesMetadata(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        for name in self.rooms.metadata:
            self.rooms.put_room(name, metadata="verified")
        await super().verify_access(until=until)


@SABOTEURS.breaks("5.2")
class VerifiesNothing(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        pass


@SABOTEURS.breaks("5.2")
@define
class NeverRecovers(Saboteur):
    _outage: RoomGatewayError | None = field(init=False, default=None)

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        if self._outage is not None:
            raise self._outage
        try:
            await super().verify_access(until=until)
        except RoomGatewayError as outage:
            self._outage = outage
            raise
