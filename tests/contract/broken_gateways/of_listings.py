"""Broken gateways: listing participants and their tracks."""

import asyncio
import math
from collections.abc import Callable
from functools import partial

from attrs import define, evolve, field
from typing_extensions import override

from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import ListedParticipant, PublishedTrack, TrackKind, TrackSource
from tests.contract.broken_gateways.base import LOOKS, Breakage, Breakages, BrokenGateway

BROKEN_GATEWAYS = Breakages()

Listing = tuple[ListedParticipant, ...]


class ListsOtherwise(BrokenGateway):
    def change(self, listing: Listing) -> Listing:
        return tuple(
            evolve(each, tracks=tuple(map(self.change_track, each.tracks))) for each in listing
        )

    def change_track(self, track: PublishedTrack) -> PublishedTrack:
        raise NotImplementedError

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        return self.change(await super().list_participants(room, deadline=deadline))


@BROKEN_GATEWAYS.breaks("6.1", "6.5")
class ListsPublishersOnly(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        return tuple(each for each in listing if each.tracks)


@BROKEN_GATEWAYS.breaks("6.1", "6.7")
class ListsTheFirstOnly(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        return listing[:1]


@BROKEN_GATEWAYS.breaks("6.1", "6.5", "6.9")
class ListsEveryRoom(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        return tuple(
            ListedParticipant(identity=participant.identity, tracks=tuple(tracks.values()))
            for participant, tracks in self.rooms.tracks.items()
        )


@BROKEN_GATEWAYS.breaks("6.1")
class ListsParticipantsTwice(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        return listing + listing


@BROKEN_GATEWAYS.breaks("6.2", "6.6")
class ListsOneTrackEach(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        return tuple(evolve(each, tracks=each.tracks[:1]) for each in listing)


@BROKEN_GATEWAYS.breaks("6.2")
class ForgetsSources(ListsOtherwise):
    @override
    def change_track(self, track: PublishedTrack) -> PublishedTrack:
        return evolve(track, source=TrackSource.UNKNOWN)


@BROKEN_GATEWAYS.breaks("6.2")
class CallsEveryTrackAudio(ListsOtherwise):
    @override
    def change_track(self, track: PublishedTrack) -> PublishedTrack:
        return evolve(track, kind=TrackKind.AUDIO)


@BROKEN_GATEWAYS.breaks("6.6")
class ListsNoMutes(ListsOtherwise):
    @override
    def change_track(self, track: PublishedTrack) -> PublishedTrack:
        return evolve(track, muted=False)


@BROKEN_GATEWAYS.breaks("6.3")
class MissesEmptyRooms(ListsOtherwise):
    @override
    def change(self, listing: Listing) -> Listing:
        if not listing:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return listing


@BROKEN_GATEWAYS.breaks("6.4")
class ListsNobodyInMissingRooms(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        try:
            return await super().list_participants(room, deadline=deadline)
        except RoomNotFoundError:
            return ()


@BROKEN_GATEWAYS.breaks("6.4")
class CallsMissingRoomsForeign(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        try:
            return await super().list_participants(room, deadline=deadline)
        except RoomNotFoundError:
            raise RoomNotFoundError(RoomNotFoundReason.FOREIGN) from None


@define
class ListsCarelessly(BrokenGateway):
    _look: Callable[[str], str]

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        alike = [name for name in self.rooms.metadata if self._look(name) == self._look(room)]
        return await super().list_participants((*alike, room)[0], deadline=deadline)


BROKEN_GATEWAYS += [
    Breakage(f"{name}RoomsToList", ("6.4", "6.5"), partial(ListsCarelessly, look=look))
    for name, look in LOOKS.items()
]


@BROKEN_GATEWAYS.breaks("6.6", "6.7")
@define
class RemembersListings(BrokenGateway):
    _known: dict[RoomName, Listing] = field(init=False, factory=dict)

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        if room not in self._known:
            self._known[room] = await super().list_participants(room, deadline=deadline)
        return self._known[room]


@define
class ListsWithALag(BrokenGateway):
    """Lists who was there when it was asked the time before, as a correct gateway may."""

    _before: dict[RoomName, Listing] = field(init=False, factory=dict)

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        listing = await super().list_participants(room, deadline=deadline)
        before = self._before.get(room, ())
        self._before[room] = listing
        return before


@BROKEN_GATEWAYS.breaks("6.8")
class ListsNobodyInUnreachableRooms(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        try:
            return await super().list_participants(room, deadline=deadline)
        except RoomGatewayUnavailableError:
            return ()


@BROKEN_GATEWAYS.breaks("6.8")
class MissesUnreachableRoomsToList(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        try:
            return await super().list_participants(room, deadline=deadline)
        except RoomGatewayUnavailableError:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING) from None


@BROKEN_GATEWAYS.breaks("6.9")
@define
class MixesListingsUp(BrokenGateway):
    _room: RoomName = field(init=False, default=RoomName(""))

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        self._room = room
        await asyncio.sleep(0)
        return await super().list_participants(self._room, deadline=deadline)


@BROKEN_GATEWAYS.breaks("4.2")
class ListsToTheEnd(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return await super().list_participants(room, deadline=deadline)
        return await super().list_participants(room, deadline=deadline)


@BROKEN_GATEWAYS.breaks("4.4")
class ListsTooLate(BrokenGateway):
    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> Listing:
        return await super().list_participants(room, deadline=math.inf)
