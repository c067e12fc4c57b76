"""Broken gateways: concurrent calls, cancelled calls and late calls."""

import asyncio
import math

from attrs import define, evolve, field
from typing_extensions import override

from application.ports.room_gateway import RoomGatewayUnavailableError
from contract.room_gateway import MANY
from domain.room import Room, RoomName
from domain.track import Track
from tests.contract.broken_gateways.base import Breakages, BrokenGateway, MuteRequest

BROKEN_GATEWAYS = Breakages()


@BROKEN_GATEWAYS.breaks("4.1")
@define
class MixesCallsUp(BrokenGateway):
    _request: MuteRequest | None = field(init=False, default=None)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        self._request = request
        await asyncio.sleep(0)
        return await super().mute(self._request)


@BROKEN_GATEWAYS.breaks("4.1")
@define
class MixesAnswersUp(BrokenGateway):
    _track: Track | None = field(init=False, default=None)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        self._track = await super().mute(request)
        await asyncio.sleep(0)
        return self._track


@BROKEN_GATEWAYS.breaks("4.1")
@define
class OneAtATime(BrokenGateway):
    _busy: bool = field(init=False, default=False)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        if self._busy:
            raise RoomGatewayUnavailableError(reason="busy")
        self._busy = True
        try:
            await asyncio.sleep(0)
            return await super().mute(request)
        finally:
            self._busy = False


@BROKEN_GATEWAYS.breaks("4.2")
class TranslatesCancellation(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise RoomGatewayUnavailableError(reason="cancelled") from None
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("4.2")
class SwallowsCancellation(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        muting = asyncio.ensure_future(super().mute(request))
        while not muting.done():
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                continue
        return muting.result()


@BROKEN_GATEWAYS.breaks("4.2")
class ReadsRoomsToTheEnd(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return await super().get_room(name, deadline=deadline)
        return await super().get_room(name, deadline=deadline)


@BROKEN_GATEWAYS.breaks("4.2")
class VerifiesToTheEnd(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return
        await super().verify_access(deadline=deadline)


@BROKEN_GATEWAYS.breaks("4.3")
@define
class LeaksConnections(BrokenGateway):
    _free: int = field(init=False, default=MANY // 2)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        if not self._free:
            raise RoomGatewayUnavailableError(reason="no connection is free")
        self._free -= 1
        await asyncio.sleep(0)
        self._free += 1
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("4.3")
@define
class BreaksWhenCancelled(BrokenGateway):
    _broken: bool = field(init=False, default=False)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._broken = True
            raise
        if self._broken:
            raise RoomGatewayUnavailableError(reason="closed")
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("4.4")
class MutesTooLate(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        return await super().mute(evolve(request, deadline=math.inf))


@BROKEN_GATEWAYS.breaks("4.4")
class ReadsTooLate(BrokenGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        return await super().get_room(name, deadline=math.inf)


@BROKEN_GATEWAYS.breaks("4.4")
class MutesTooLateAndFails(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        track = await super().mute(evolve(request, deadline=math.inf))
        if request.deadline <= asyncio.get_running_loop().time():
            raise RoomGatewayUnavailableError(reason="too late")
        return track


@BROKEN_GATEWAYS.breaks("4.4")
class VerifiesTooLate(BrokenGateway):
    @override
    async def verify_access(self, *, deadline: float) -> None:
        await super().verify_access(deadline=math.inf)


@BROKEN_GATEWAYS.breaks("4.4")
@define
class ChecksTheTimeOnlyToConnect(BrokenGateway):
    _is_connected: bool = field(init=False, default=False)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        if not self._is_connected:
            await super().get_room(request.participant.room, deadline=request.deadline)
        self._is_connected = True
        track = await super().mute(evolve(request, deadline=math.inf))
        if request.deadline <= asyncio.get_running_loop().time():
            raise RoomGatewayUnavailableError(reason="too late")
        return track
