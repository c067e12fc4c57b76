"""Broken gateways: finding the participant of a track."""

from collections.abc import Callable
from functools import partial

from attrs import define, evolve, field
from typing_extensions import override

from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
)
from tests.contract.broken_gateways.base import (
    LOOKS,
    Breakage,
    Breakages,
    BrokenGateway,
    MuteRequest,
)

BROKEN_GATEWAYS = Breakages()


class SearchesTracks(BrokenGateway):
    def may_publish(self, request: MuteRequest, other: Participant) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, request: MuteRequest) -> Track:
        for other, tracks in self.rooms.tracks.items():
            if request.sid in tracks and self.may_publish(request, other):
                return await super().mute(evolve(request, participant=other))
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.7", "2.8")
class SearchesTheRoom(SearchesTracks):
    @override
    def may_publish(self, request: MuteRequest, other: Participant) -> bool:
        return request.participant.room == other.room


@BROKEN_GATEWAYS.breaks("2.7", "2.8", "2.9")
class SearchesNamesakes(SearchesTracks):
    @override
    def may_publish(self, request: MuteRequest, other: Participant) -> bool:
        return request.participant.identity == other.identity


@define
class LooksCarelessly(BrokenGateway):
    _look: Callable[[Participant], Participant]

    @override
    async def mute(self, request: MuteRequest) -> Track:
        for each in self.rooms.tracks:
            if self._look(each) == self._look(request.participant):
                return await super().mute(evolve(request, participant=each))
        return await super().mute(request)


def _add_careless(name: str, look: Callable[[str], str]) -> None:
    def identity(one: Participant) -> Participant:
        return evolve(one, identity=ParticipantIdentity(look(one.identity)))

    def room(one: Participant) -> Participant:
        return evolve(one, room=RoomName(look(one.room)))

    BROKEN_GATEWAYS.append(
        Breakage(f"{name}Identities", ("2.8",), partial(LooksCarelessly, look=identity))
    )
    BROKEN_GATEWAYS.append(Breakage(f"{name}Rooms", ("2.9",), partial(LooksCarelessly, look=room)))


for _name, _look in LOOKS.items():
    _add_careless(_name, _look)


@BROKEN_GATEWAYS.breaks("2.8", "2.9", "2.10", "3.3")
class MissesTheTrackOfTheAbsent(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            return await super().mute(request)
        except ParticipantNotFoundError:
            raise TrackNotFoundError from None


@BROKEN_GATEWAYS.breaks("2.9")
class MissesTheRoom(BrokenGateway):
    @override
    async def mute(self, request: MuteRequest) -> Track:
        if request.participant.room not in self.rooms.metadata:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return await super().mute(request)


@BROKEN_GATEWAYS.breaks("2.10")
@define
class RemembersParticipants(BrokenGateway):
    _seen: set[Participant] = field(init=False, factory=set)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            track = await super().mute(request)
        except ParticipantNotFoundError:
            if request.participant in self._seen:
                raise TrackNotFoundError from None
            raise
        self._seen.add(request.participant)
        return track


@BROKEN_GATEWAYS.breaks("2.10")
@define
class RemembersTheDeparted(BrokenGateway):
    _departed: set[Participant] = field(init=False, factory=set)

    @override
    async def mute(self, request: MuteRequest) -> Track:
        try:
            if request.participant not in self._departed:
                return await super().mute(request)
        except ParticipantNotFoundError:
            self._departed.add(request.participant)
        raise ParticipantNotFoundError
