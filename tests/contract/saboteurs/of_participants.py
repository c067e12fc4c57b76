"""Saboteurs of finding the participant whose track it is."""

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
from tests.contract.saboteurs.base import LOOKS, Roster, Sabotage, Saboteur, Wish

SABOTEURS = Roster()


class SearchesTracks(Saboteur):
    def may_publish(self, wish: Wish, other: Participant) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, wish: Wish) -> Track:
        for other, tracks in self.rooms.tracks.items():
            if wish.sid in tracks and self.may_publish(wish, other):
                return await super().mute(evolve(wish, participant=other))
        return await super().mute(wish)


@SABOTEURS.breaks("2.7", "2.8")
class SearchesTheRoom(SearchesTracks):
    @override
    def may_publish(self, wish: Wish, other: Participant) -> bool:
        return wish.participant.room == other.room


@SABOTEURS.breaks("2.7", "2.8", "2.9")
class SearchesNamesakes(SearchesTracks):
    @override
    def may_publish(self, wish: Wish, other: Participant) -> bool:
        return wish.participant.identity == other.identity


@define
class LooksCarelessly(Saboteur):
    _look: Callable[[Participant], Participant]

    @override
    async def mute(self, wish: Wish) -> Track:
        for each in self.rooms.tracks:
            if self._look(each) == self._look(wish.participant):
                return await super().mute(evolve(wish, participant=each))
        return await super().mute(wish)


def _enlist_careless(name: str, look: Callable[[str], str]) -> None:
    def identity(one: Participant) -> Participant:
        return evolve(one, identity=ParticipantIdentity(look(one.identity)))

    def room(one: Participant) -> Participant:
        return evolve(one, room=RoomName(look(one.room)))

    SABOTEURS.append(
        Sabotage(f"{name}Identities", ("2.8",), partial(LooksCarelessly, look=identity))
    )
    SABOTEURS.append(Sabotage(f"{name}Rooms", ("2.9",), partial(LooksCarelessly, look=room)))


for _name, _look in LOOKS.items():
    _enlist_careless(_name, _look)


@SABOTEURS.breaks("2.8", "2.9", "2.10", "3.3")
class MissesTheTrackOfTheAbsent(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except ParticipantNotFoundError:
            raise TrackNotFoundError from None


@SABOTEURS.breaks("2.9")
class MissesTheRoom(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        if wish.participant.room not in self.rooms.metadata:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return await super().mute(wish)


@SABOTEURS.breaks("2.10")
@define
class RemembersParticipants(Saboteur):
    _seen: set[Participant] = field(init=False, factory=set)

    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            track = await super().mute(wish)
        except ParticipantNotFoundError:
            if wish.participant in self._seen:
                raise TrackNotFoundError from None
            raise
        self._seen.add(wish.participant)
        return track


@SABOTEURS.breaks("2.10")
@define
class RemembersTheDeparted(Saboteur):
    _departed: set[Participant] = field(init=False, factory=set)

    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            if wish.participant not in self._departed:
                return await super().mute(wish)
        except ParticipantNotFoundError:
            self._departed.add(wish.participant)
        raise ParticipantNotFoundError
