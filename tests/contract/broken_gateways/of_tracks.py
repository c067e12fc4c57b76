"""Broken gateways: muting and unmuting tracks, one call at a time."""

from attrs import define, evolve, field
from typing_extensions import override

from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.track import (
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)
from tests.contract.broken_gateways.base import Breakages, BrokenGateway, MuteRequest

BROKEN_GATEWAYS = Breakages()


@BROKEN_GATEWAYS.breaks("2.1", "2.2", "2.3")
class EchoesTheRequest(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        return Track(sid=request.sid, muted=request.muted)


@BROKEN_GATEWAYS.breaks("2.1", "2.2", "2.3")
class ReportsTheStateBefore(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        before = self.state(request)
        after = await super().mute(request)
        return Track(sid=before.sid, muted=before.muted) if before else after


@BROKEN_GATEWAYS.breaks("2.2", "2.3")
class NeverUnmutes(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        return evolve(await super().mute(evolve(request, muted=True)), muted=request.muted)


@BROKEN_GATEWAYS.breaks("2.3")
class Toggles(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        before = self.state(request)
        return await super().mute(evolve(request, muted=not before.muted) if before else request)


@BROKEN_GATEWAYS.breaks("2.3")
class RefusesToRepeat(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        before = self.state(request)
        if before and before.muted == request.muted:
            raise RoomGatewayRefusedError(reason="so it is already")
        return await super().mute(request)


class MutesOthersToo(BrokenGateway):
    def concerns(self, request: MuteRequest, other: Participant) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, request: MuteRequest) -> Track:
        for other in self.rooms.tracks:
            if self.concerns(request, other):
                for sid in self.rooms.tracks[other]:
                    self.have(other, sid, muted=request.muted)
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.4")
class MutesTheParticipant(MutesOthersToo):
    @override
    def concerns(self, request: MuteRequest, other: Participant) -> bool:
        return other == request.participant


@BROKEN_GATEWAYS.breaks("2.4")
class MutesTheRoom(MutesOthersToo):
    @override
    def concerns(self, request: MuteRequest, other: Participant) -> bool:
        return other.room == request.participant.room and other != request.participant


@BROKEN_GATEWAYS.breaks("2.4")
class MutesNamesakes(MutesOthersToo):
    @override
    def concerns(self, request: MuteRequest, other: Participant) -> bool:
        return other.identity == request.participant.identity and other != request.participant


@BROKEN_GATEWAYS.breaks("2.4")
class UnmutesNamesakes(MutesNamesakes):
    @override
    def concerns(self, request: MuteRequest, other: Participant) -> bool:
        return not request.muted and super().concerns(request, other)


@BROKEN_GATEWAYS.breaks("2.5", "2.6", "2.7")
class MutesWhatIsNotThere(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except TrackNotFoundError:
            return Track(sid=request.sid, muted=request.muted)


@BROKEN_GATEWAYS.breaks("2.5")
class UnmutesWhatIsNotThere(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except TrackNotFoundError:
            if request.muted:
                raise
            return Track(sid=request.sid, muted=False)


class GuessesTracks(BrokenGateway):
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, request: MuteRequest) -> Track:
        for sid in self.rooms.tracks.get(request.participant, {}):
            if self.means(request.sid, sid):
                return evolve(await super().mute(evolve(request, sid=sid)), sid=request.sid)
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.5")
class FoldsSids(GuessesTracks):
    @override
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        return asked.lower() == sid.lower()


@BROKEN_GATEWAYS.breaks("2.5")
class TakesShortSids(GuessesTracks):
    @override
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        return sid.startswith(asked)


@BROKEN_GATEWAYS.breaks("2.6", "2.10")
@define
class RemembersTracks(BrokenGateway):
    _seen: set[TrackSid] = field(init=False, factory=set)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            track = await super().mute(request)
        except TrackNotFoundError:
            if request.sid not in self._seen:
                raise
            return Track(sid=request.sid, muted=request.muted)
        self._seen.add(request.sid)
        return track


@BROKEN_GATEWAYS.breaks("2.6")
@define
class KnowsOnlyTheFirstTrack(BrokenGateway):
    _first: dict[Participant, TrackSid] = field(init=False, factory=dict)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        if self._first.setdefault(request.participant, request.sid) != request.sid:
            raise TrackNotFoundError
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.11")
class TakesAnOutageForAbsence(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except RoomGatewayUnavailableError:
            raise ParticipantNotFoundError from None


@BROKEN_GATEWAYS.breaks("2.11")
class TakesAnOutageForSuccess(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except RoomGatewayUnavailableError:
            return Track(sid=request.sid, muted=request.muted)


@BROKEN_GATEWAYS.breaks("3.1")
class UnmutesAllTheSame(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except RemoteUnmuteDisabledError:
            self.have(request.participant, request.sid, muted=False)
            raise


@BROKEN_GATEWAYS.breaks("3.1", "3.2")
class OnlyRefuses(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except RemoteUnmuteDisabledError:
            raise RoomGatewayRefusedError(reason="no remote unmute") from None


@BROKEN_GATEWAYS.breaks("3.1", "3.2")
class RefusesToMuteToo(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("3.2")
class LooksBeforeItRefuses(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if request.participant in self.rooms.tracks and not self.state(request):
            raise TrackNotFoundError
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("3.3")
class RefusesTheAbsent(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if not request.muted and not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        return await super().mute(request)
