"""Broken gateways: reading rooms and verifying access."""

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
from tests.contract.broken_gateways.base import LOOKS, Breakage, Breakages, BrokenGateway

BROKEN_GATEWAYS = Breakages()


@BROKEN_GATEWAYS.breaks("1.1")
class FoldsOwners(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        room = await super().get_room(name, deadline=deadline)
        return evolve(room, owner=room.owner and room.owner.lower())


@BROKEN_GATEWAYS.breaks("1.1")
class ReportsAnotherName(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        return evolve(await super().get_room(name, deadline=deadline), name=RoomName(name.upper()))


@BROKEN_GATEWAYS.breaks("1.2")
class ReportsAnEmptyOwner(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        room = await super().get_room(name, deadline=deadline)
        return evolve(room, owner=room.owner or "")


@BROKEN_GATEWAYS.breaks("1.3", "1.4", "1.6")
class FindsEveryRoom(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        try:
            return await super().get_room(name, deadline=deadline)
        except RoomNotFoundError:
            return Room(name=name, owner=None)


@BROKEN_GATEWAYS.breaks("1.3")
class TakesMissingForForeign(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        try:
            return await super().get_room(name, deadline=deadline)
        except RoomNotFoundError:
            raise RoomNotFoundError(RoomNotFoundReason.FOREIGN) from None


@define
class LooksCarelessly(BrokenGateway):
    _look: Callable[[str], str]

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        for each in self.rooms.metadata:
            if self._look(each) == self._look(name):
                return evolve(await super().get_room(each, deadline=deadline), name=name)
        return await super().get_room(name, deadline=deadline)


for _name, _look in LOOKS.items():
    BROKEN_GATEWAYS.append(
        Breakage(f"{_name}RoomNames", ("1.4", "1.5"), partial(LooksCarelessly, look=_look))
    )


@BROKEN_GATEWAYS.breaks("1.6")
@define
class RemembersRooms(BrokenGateway):
    _seen: dict[RoomName, Room] = field(init=False, factory=dict)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        if name not in self._seen:
            self._seen[name] = await super().get_room(name, deadline=deadline)
        return self._seen[name]


@BROKEN_GATEWAYS.breaks("1.6")
@define
class RemembersMissingRooms(BrokenGateway):
    _missing: set[RoomName] = field(init=False, factory=set)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        if name in self._missing:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        try:
            return await super().get_room(name, deadline=deadline)
        except RoomNotFoundError:
            self._missing.add(name)
            raise


@BROKEN_GATEWAYS.breaks("1.7")
class TakesAnOutageForMissing(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        try:
            return await super().get_room(name, deadline=deadline)
        except RoomGatewayUnavailableError:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING) from None


@BROKEN_GATEWAYS.breaks("5.1")
class NeedsARoom(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        if not self.rooms.metadata:
            raise RoomGatewayRefusedError(reason="no room to try")
        await super().verify_access(deadline=deadline)


@BROKEN_GATEWAYS.breaks("5.1")
class TriesAMute(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        for participant, tracks in self.rooms.tracks.items():
            for sid in tracks:
                self.have(participant, sid, muted=True)
        await super().verify_access(deadline=deadline)


@BROKEN_GATEWAYS.breaks("5.1")
class TriesMetadata(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        for name in self.rooms.metadata:
            self.rooms.put_room(name, metadata="verified")
        await super().verify_access(deadline=deadline)


@BROKEN_GATEWAYS.breaks("5.2")
class VerifiesNothing(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        pass


@BROKEN_GATEWAYS.breaks("5.2")
@define
class NeverRecovers(BrokenGateway):
    _outage: RoomGatewayError | None = field(init=False, default=None)

    @override
    async def verify_access(self, *, deadline: float) -> None:
        if self._outage is not None:
            raise self._outage
        try:
            await super().verify_access(deadline=deadline)
        except RoomGatewayError as outage:
            self._outage = outage
            raise
