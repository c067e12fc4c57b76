"""Saboteurs of muting and unmuting tracks, one call at a time."""

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
from tests.contract.saboteurs.base import Roster, Saboteur, Wish

SABOTEURS = Roster()


@SABOTEURS.breaks("2.1", "2.2", "2.3")
class EchoesTheWish(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        return Track(sid=wish.sid, muted=wish.muted)


@SABOTEURS.breaks("2.1", "2.2", "2.3")
class ReportsTheStateBefore(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        before = self.state(wish)
        after = await super().mute(wish)
        return before or after


@SABOTEURS.breaks("2.2", "2.3")
class NeverUnmutes(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        return evolve(await super().mute(evolve(wish, muted=True)), muted=wish.muted)


@SABOTEURS.breaks("2.3")
class Toggles(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        before = self.state(wish)
        return await super().mute(evolve(wish, muted=not before.muted) if before else wish)


@SABOTEURS.breaks("2.3")
class RefusesToRepeat(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        before = self.state(wish)
        if before and before.muted == wish.muted:
            raise RoomGatewayRefusedError(reason="so it is already")
        return await super().mute(wish)


class MutesOthersToo(Saboteur):
    def concerns(self, wish: Wish, other: Participant) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, wish: Wish) -> Track:
        for other in self.rooms.tracks:
            if self.concerns(wish, other):
                for sid in self.rooms.tracks[other]:
                    self.have(other, sid, muted=wish.muted)
        return await super().mute(wish)


@SABOTEURS.breaks("2.4")
class MutesTheParticipant(MutesOthersToo):
    @override
    def concerns(self, wish: Wish, other: Participant) -> bool:
        return other == wish.participant


@SABOTEURS.breaks("2.4")
class MutesTheRoom(MutesOthersToo):
    @override
    def concerns(self, wish: Wish, other: Participant) -> bool:
        return other.room == wish.participant.room and other != wish.participant


@SABOTEURS.breaks("2.4")
class MutesNamesakes(MutesOthersToo):
    @override
    def concerns(self, wish: Wish, other: Participant) -> bool:
        return other.identity == wish.participant.identity and other != wish.participant


@SABOTEURS.breaks("2.4")
class UnmutesNamesakes(MutesNamesakes):
    @override
    def concerns(self, wish: Wish, other: Participant) -> bool:
        return not wish.muted and super().concerns(wish, other)


@SABOTEURS.breaks("2.5", "2.6", "2.7")
class MutesWhatIsNotThere(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except TrackNotFoundError:
            return Track(sid=wish.sid, muted=wish.muted)


@SABOTEURS.breaks("2.5")
class UnmutesWhatIsNotThere(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except TrackNotFoundError:
            if wish.muted:
                raise
            return Track(sid=wish.sid, muted=False)


class GuessesTracks(Saboteur):
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        raise NotImplementedError

    @override
    async def mute(self, wish: Wish) -> Track:
        for sid in self.rooms.tracks.get(wish.participant, {}):
            if self.means(wish.sid, sid):
                return evolve(await super().mute(evolve(wish, sid=sid)), sid=wish.sid)
        return await super().mute(wish)


@SABOTEURS.breaks("2.5")
class FoldsSids(GuessesTracks):
    @override
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        return asked.lower() == sid.lower()


@SABOTEURS.breaks("2.5")
class TakesShortSids(GuessesTracks):
    @override
    def means(self, asked: TrackSid, sid: TrackSid) -> bool:
        return sid.startswith(asked)


@SABOTEURS.breaks("2.6", "2.10")
@define
class RemembersTracks(Saboteur):
    _seen: set[TrackSid] = field(init=False, factory=set)

    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            track = await super().mute(wish)
        except TrackNotFoundError:
            if wish.sid not in self._seen:
                raise
            return Track(sid=wish.sid, muted=wish.muted)
        self._seen.add(wish.sid)
        return track


@SABOTEURS.breaks("2.6")
@define
class KnowsOnlyTheFirstTrack(Saboteur):
    _first: dict[Participant, TrackSid] = field(init=False, factory=dict)

    @override
    async def mute(self, wish: Wish) -> Track:
        if self._first.setdefault(wish.participant, wish.sid) != wish.sid:
            raise TrackNotFoundError
        return await super().mute(wish)


@SABOTEURS.breaks("2.11")
class TakesAnOutageForAbsence(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except RoomGatewayUnavailableError:
            raise ParticipantNotFoundError from None


@SABOTEURS.breaks("2.11")
class TakesAnOutageForSuccess(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except RoomGatewayUnavailableError:
            return Track(sid=wish.sid, muted=wish.muted)


@SABOTEURS.breaks("3.1")
class UnmutesAllTheSame(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except RemoteUnmuteDisabledError:
            self.have(wish.participant, wish.sid, muted=False)
            raise


@SABOTEURS.breaks("3.1", "3.2")
class OnlyRefuses(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        try:
            return await super().mute(wish)
        except RemoteUnmuteDisabledError:
            raise RoomGatewayRefusedError(reason="no remote unmute") from None


@SABOTEURS.breaks("3.1", "3.2")
class RefusesToMuteToo(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        if not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        return await super().mute(wish)


@SABOTEURS.breaks("3.2")
class LooksBeforeItRefuses(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        if wish.participant in self.rooms.tracks and not self.state(wish):
            raise TrackNotFoundError
        return await super().mute(wish)


@SABOTEURS.breaks("3.3")
class RefusesTheAbsent(Saboteur):
    @override
    async def mute(self, wish: Wish) -> Track:
        if not wish.muted and not self.rooms.remote_unmute:
            raise RemoteUnmuteDisabledError
        return await super().mute(wish)
