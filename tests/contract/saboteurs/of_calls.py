"""Saboteurs of calls made at once and of calls given up."""

import asyncio
import math

from attrs import define, evolve, field
from typing_extensions import override

from application.ports.room_gateway import RoomGatewayUnavailableError
from contract.room_gateway import MANY
from domain.room import Room, RoomName
from domain.track import Track
from tests.contract.saboteurs.base import Roster, Saboteur, Wish

SABOTEURS = Roster()


@SABOTEURS.breaks("4.1")
@define
class MixesCallsUp(Saboteur):
    _wish: Wish | None = field(init=False, default=None)

    @override
    async def mute(self, wish: Wish) -> Track:
        self._wish = wish
        await asyncio.sleep(0)
        return await super().mute(self._wish)


@SABOTEURS.breaks("4.1")
@define
class MixesAnswersUp(Saboteur):
    _track: Track | None = field(init=False, default=None)

    @override
    async def mute(self, wish: Wish) -> Track:
        self._track = await super().mute(wish)
        await asyncio.sleep(0)
        return self._track


@SABOTEURS.breaks("4.1")
@define
class OneAtATime(Saboteur):
    _busy: bool = field(init=False, default=False)

    @override
    async def mute(self, wish: Wish) -> Track:
        if self._busy:
            raise RoomGatewayUnavailableError(reason="busy")
        self._busy = True
        try:
            await asyncio.sleep(0)
            return await super().mute(wish)
        finally:
            self._busy = False


@SABOTEURS.breaks("4.2")
class TranslatesCancellation(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise RoomGatewayUnavailableError(reason="cancelled") from None
        return await super().mute(wish)


@SABOTEURS.breaks("4.2")
class SwallowsCancellation(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        muting = asyncio.ensure_future(super().mute(wish))
        while not muting.done():
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                continue
        return muting.result()


@SABOTEURS.breaks("4.2")
class ReadsRoomsToTheEnd(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return await super().get_room(name, until=until)
        return await super().get_room(name, until=until)


@SABOTEURS.breaks("4.2")
class VerifiesToTheEnd(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return
        await super().verify_access(until=until)


@SABOTEURS.breaks("4.3")
@define
class LeaksConnections(Saboteur):
    _free: int = field(init=False, default=MANY // 2)

    @override
    async def mute(self, wish: Wish) -> Track:
        if not self._free:
            raise RoomGatewayUnavailableError(reason="no connection is free")
        self._free -= 1
        await asyncio.sleep(0)
        self._free += 1
        return await super().mute(wish)


@SABOTEURS.breaks("4.3")
@define
class BreaksWhenCancelled(Saboteur):
    _broken: bool = field(init=False, default=False)

    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._broken = True
            raise
        if self._broken:
            raise RoomGatewayUnavailableError(reason="closed")
        return await super().mute(wish)


@SABOTEURS.breaks("4.4")
class MutesTooLate(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        return await super().mute(evolve(wish, until=math.inf))


@SABOTEURS.breaks("4.4")
class ReadsTooLate(Saboteur):
    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        return await super().get_room(name)


@SABOTEURS.breaks("4.4")
class MutesAndComplains(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        track = await super().mute(evolve(wish, until=math.inf))
        if wish.until <= asyncio.get_running_loop().time():
            raise RoomGatewayUnavailableError(reason="too late")
        return track


@SABOTEURS.breaks("4.4")
class VerifiesTooLate(Saboteur):
    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        await super().verify_access()
