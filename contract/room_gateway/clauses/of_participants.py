"""Muting tracks of participants who are absent, or in rooms that are."""

from typing import final

import pytest
from attrs import evolve

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import Clauses, clause
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish, similar_names, unused_name
from domain.room import RoomName
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
)


class ParticipantClauses(Clauses):
    """Muting tracks of participants who are absent, or in rooms that are."""

    @final
    @clause
    async def test_finds_no_absent_participant(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.8 A participant who is not in the room is not found, whoever else is."""
        alice, sid = await publish(rooms, ALICE)
        bob, bobs_sid = await publish(rooms, BOB)
        identities = [BOB, *(ParticipantIdentity(text) for text in similar_names(ALICE))]
        for absent in (
            *(Participant(room=alice.room, identity=identity) for identity in identities),
            Participant(room=await rooms.open(), identity=ALICE),
        ):
            with pytest.raises(ParticipantNotFoundError):
                await self.mute(gateway, absent, sid, muted=True)
        with pytest.raises(ParticipantNotFoundError):
            await self.mute(gateway, evolve(bob, room=alice.room), bobs_sid, muted=True)
        assert not await rooms.is_muted(alice, sid)
        assert not await rooms.is_muted(bob, bobs_sid)

    @final
    @clause
    async def test_finds_no_participant_of_a_missing_room(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.9 No participant is found in a missing room, nor under a similar name of a room."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        for name in (await unused_name(rooms), *similar_names(alice.room)):
            with pytest.raises(ParticipantNotFoundError):
                await self.mute(gateway, evolve(alice, room=RoomName(name)), sid, muted=True)
        assert not await rooms.is_muted(alice, sid)

    @final
    @clause
    async def test_finds_no_participant_who_has_left(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.10 A participant who has left is not found; after rejoining, only with new tracks."""
        alice, old = await publish(rooms, ALICE)
        await self.mute(gateway, alice, old, muted=True)
        await rooms.leave(alice)
        with pytest.raises(ParticipantNotFoundError):
            await self.mute(gateway, alice, old, muted=True)
        _, new = await publish(rooms, ALICE, alice.room)
        with pytest.raises(TrackNotFoundError):
            await self.mute(gateway, alice, old, muted=True)
        assert await self.mute(gateway, alice, new, muted=True) == Track(sid=new, muted=True)

    @final
    @clause
    async def test_mutes_no_unreachable_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.11 Tracks in unreachable rooms are unavailable, whoever the participant is."""
        alice, sid = await publish(rooms, ALICE)
        for participant in (alice, evolve(alice, identity=BOB)):
            async with rooms.unreachable():
                with pytest.raises(RoomGatewayUnavailableError):
                    await self.mute(gateway, participant, sid, muted=True)

    @final
    @clause
    async def test_does_the_same_in_a_room_that_was_read(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.12 Whether the room was read before makes no difference to a mute."""
        alice, sid = await publish(rooms, ALICE)
        bob = evolve(alice, identity=BOB)
        for read in (True, False):
            track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            assert track == Track(sid=sid, muted=read)
            with pytest.raises(TrackNotFoundError):
                await self.mute(gateway, alice, NO_TRACK, muted=True, room_was_read=read)
            with pytest.raises(ParticipantNotFoundError):
                await self.mute(gateway, bob, sid, muted=True, room_was_read=read)
        assert not await rooms.is_muted(alice, sid)
