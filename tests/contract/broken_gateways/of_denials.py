"""Broken gateways: participants whom the room server denies though they are there."""

from attrs import define, evolve
from typing_extensions import override

from application.ports.room_gateway import RoomGatewayRefusedError, RoomGatewayUnavailableError
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError
from tests.contract.broken_gateways.base import Breakages, BrokenGateway, MuteRequest

BROKEN_GATEWAYS = Breakages()


@BROKEN_GATEWAYS.breaks("2.12")
class TrustsThatTheRoomWasRead(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except ParticipantNotFoundError:
            if request.room_was_read:
                raise TrackNotFoundError from None
            raise


@BROKEN_GATEWAYS.breaks("2.12", "2.13", "2.14", "2.15")
class NeedsTheRoomToBeRead(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if not request.room_was_read:
            raise RoomGatewayRefusedError(reason="the room was not read")
        return await super().mute(request)


@define
class AsksAServer(BrokenGateway):
    """Sends mutes to a server that may deny participants who are there."""

    async def send(self, request: MuteRequest) -> Track:
        if self.rooms.denied_mutes[request.participant]:
            self.rooms.denied_mutes[request.participant] -= 1
            raise ParticipantNotFoundError
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.13", "2.14")
class BelievesTheFirstDenial(AsksAServer):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        return await self.send(request)


@BROKEN_GATEWAYS.breaks("2.14")
class BelievesTheSecondDenial(AsksAServer):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await self.send(request)
        except ParticipantNotFoundError:
            return await self.send(request)


@BROKEN_GATEWAYS.breaks("2.13")
class GivesUpAtTheFirstDenial(AsksAServer):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await self.send(request)
        except ParticipantNotFoundError:
            if request.participant in self.rooms.tracks:
                raise RoomGatewayUnavailableError(reason="denied") from None
            raise


@BROKEN_GATEWAYS.breaks("2.13", "2.14")
class RepeatsTheOpposite(AsksAServer):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        for muted in (request.muted, not request.muted):
            if not self.rooms.denied_mutes[request.participant]:
                return await super().mute(evolve(request, muted=muted))
            self.rooms.denied_mutes[request.participant] -= 1
        raise ParticipantNotFoundError


@BROKEN_GATEWAYS.breaks("2.15")
class LooksFirst(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if request.participant in self.rooms.denied_lookups:
            raise ParticipantNotFoundError
        return await super().mute(request)
