"""Listing participants and their tracks."""

import asyncio
from collections.abc import Iterable
from typing import ClassVar, final

import pytest

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import Clauses, clause
from contract.rooms import ALICE, BOB, Rooms, kind_of, publish, similar_names, unused_name
from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    ListedParticipant,
    Participant,
    ParticipantIdentity,
    PublishedTrack,
    TrackSid,
    TrackSource,
)

_POLL_S = 0.02


class ListingClauses(Clauses):
    """Listing participants and their tracks."""

    lag_s: ClassVar[float] = 10.0
    """How long a listing may show something else than there is by now."""

    async def shows(
        self, gateway: RoomGateway, room: RoomName, *expected: ListedParticipant
    ) -> None:
        """Wait until the listing of a room shows what is expected, and nothing else."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + self.lag_s
        while True:
            listing = await gateway.list_participants(room, deadline=self.deadline())
            if _sorted(listing) == _sorted(expected) or loop.time() >= latest:
                break
            await asyncio.sleep(_POLL_S)
        assert _sorted(listing) == _sorted(expected)

    @final
    @clause
    async def test_lists_everybody(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.1 Every participant of the room is listed, also one without tracks, and nobody else."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        bob = await rooms.join(alice.room, BOB)
        await publish(rooms, ParticipantIdentity("carol"))
        await self.shows(gateway, alice.room, _listed(alice, _track(sid)), _listed(bob))

    @final
    @clause
    async def test_lists_tracks_as_they_are(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.2 A track is listed with its sid, its kind and its source."""
        alice = await rooms.join(await rooms.open(), ALICE)
        tracks = [
            _track(await rooms.publish(alice, source), source=source) for source in TrackSource
        ]
        await self.shows(gateway, alice.room, _listed(alice, *tracks))

    @final
    @clause
    async def test_lists_nobody_in_an_empty_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.3 The listing of a room without participants is empty."""
        await self.shows(gateway, await rooms.open())

    @final
    @clause
    async def test_lists_no_missing_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.4 A missing room has no listing, however similar the name of another is."""
        alice, _ = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        for name in (await unused_name(rooms), *similar_names(alice.room)):
            with pytest.raises(RoomNotFoundError) as caught:
                await gateway.list_participants(RoomName(name), deadline=self.deadline())
            assert caught.value.reason is RoomNotFoundReason.MISSING

    @final
    @clause
    async def test_tells_listings_of_similar_names_apart(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """6.5 Rooms with similar names each have their own participants."""
        name = await unused_name(rooms)
        present = [
            await rooms.join(await rooms.open(RoomName(each)), ParticipantIdentity(f"{number}"))
            for number, each in enumerate((name, *similar_names(name)))
        ]
        for participant in present:
            await self.shows(gateway, participant.room, _listed(participant))

    @final
    @clause
    async def test_lists_mutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.6 A muted track is listed as muted, and one that is unmuted again is not."""
        alice, sid = await publish(rooms, ALICE)
        other = _track(await rooms.publish(alice))
        for muted in (True, False):
            await self.mute(gateway, alice, sid, muted=muted)
            await self.shows(gateway, alice.room, _listed(alice, _track(sid, muted=muted), other))

    @final
    @clause
    async def test_lists_nothing_that_is_gone(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.7 What was unpublished and who has left are not listed, until they are back."""
        alice, old = await publish(rooms, ALICE)
        bob, bobs = await publish(rooms, BOB, alice.room)
        await self.shows(
            gateway, alice.room, _listed(alice, _track(old)), _listed(bob, _track(bobs))
        )
        await rooms.unpublish(alice, old)
        await self.shows(gateway, alice.room, _listed(alice), _listed(bob, _track(bobs)))
        await rooms.leave(bob)
        await self.shows(gateway, alice.room, _listed(alice))
        new = await rooms.publish(alice)
        await self.shows(gateway, alice.room, _listed(alice, _track(new)))

    @final
    @clause
    async def test_lists_no_unreachable_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """6.8 The participants of unreachable rooms are unavailable, and not an empty listing."""
        alice, _ = await publish(rooms, ALICE)
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.list_participants(alice.room, deadline=self.deadline())

    @final
    @clause
    async def test_keeps_concurrent_listings_apart(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """6.9 Concurrent listings each hold the participants of their own room."""
        present = [
            await rooms.join(await rooms.open(), ParticipantIdentity(f"participant-{number}"))
            for number in range(3)
        ]
        for each in present:
            await self.shows(gateway, each.room, _listed(each))
        listings = await asyncio.gather(
            *(gateway.list_participants(each.room, deadline=self.deadline()) for each in present)
        )
        assert listings == [(_listed(each),) for each in present]


def _track(
    sid: TrackSid, *, source: TrackSource = TrackSource.UNKNOWN, muted: bool = False
) -> PublishedTrack:
    return PublishedTrack(sid=sid, muted=muted, kind=kind_of(source), source=source)


def _listed(participant: Participant, *tracks: PublishedTrack) -> ListedParticipant:
    return ListedParticipant(identity=participant.identity, tracks=tracks)


def _sorted(listing: Iterable[ListedParticipant]) -> list[tuple[str, list[PublishedTrack]]]:
    """Order a listing, whose order means nothing."""
    by_sid = [(each.identity, sorted(each.tracks, key=lambda track: track.sid)) for each in listing]
    return sorted(by_sid, key=lambda each: each[0])
