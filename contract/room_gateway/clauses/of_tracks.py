"""Muting and unmuting tracks."""

from typing import final

import pytest

from application.ports.room_gateway import RoomGateway
from contract.room_gateway.clause import Clauses, clause
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish, unused_name
from domain.track import Track, TrackNotFoundError, TrackSid


class TrackClauses(Clauses):
    """Muting and unmuting tracks."""

    @final
    @clause
    async def test_mutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.1 A muted track is reported as muted, and its participant is told."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        assert not await rooms.is_muted(alice, sid)
        assert await self.mute(gateway, alice, sid, muted=True) == Track(sid=sid, muted=True)
        assert await rooms.is_muted(alice, sid)

    @final
    @clause
    async def test_unmutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.2 An unmuted track is reported as not muted, and its participant is told."""
        alice, sid = await publish(rooms, ALICE)
        await self.mute(gateway, alice, sid, muted=True)
        assert await rooms.is_muted(alice, sid)
        assert await self.mute(gateway, alice, sid, muted=False) == Track(sid=sid, muted=False)
        assert not await rooms.is_muted(alice, sid)

    @final
    @clause
    async def test_is_idempotent(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.3 Setting the state that a track has already succeeds and changes nothing."""
        alice, sid = await publish(rooms, ALICE)
        for muted in (False, False, True, True, False, False):
            assert await self.mute(gateway, alice, sid, muted=muted) == Track(sid=sid, muted=muted)
            assert await rooms.is_muted(alice, sid) is muted

    @final
    @clause
    async def test_leaves_other_tracks_alone(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.4 No other track changes: not of that participant, that room or that identity."""
        alice, sid = await publish(rooms, ALICE)
        others = [
            (alice, await rooms.publish(alice)),
            await publish(rooms, BOB, alice.room),
            await publish(rooms, ALICE),
        ]
        await self.mute(gateway, alice, sid, muted=True)
        assert [await rooms.is_muted(*other) for other in others] == [False] * 3
        for other in others:
            await self.mute(gateway, *other, muted=True)
        await self.mute(gateway, alice, sid, muted=False)
        assert [await rooms.is_muted(*other) for other in others] == [True] * 3

    @final
    @clause
    async def test_finds_no_unknown_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.5 A track that was never published is not found, neither to mute nor to unmute."""
        alice, sid = await publish(rooms, ALICE)
        similar = {TrackSid(sid.swapcase()), TrackSid(sid[:-1])} - {sid}  # "0" has no other case
        for unknown in (NO_TRACK, *similar):
            for muted in (True, False):
                with pytest.raises(TrackNotFoundError):
                    await self.mute(gateway, alice, unknown, muted=muted)
        assert not await rooms.is_muted(alice, sid)

    @final
    @clause
    async def test_finds_no_unpublished_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.6 An unpublished track is not found, and one published since is."""
        alice, old = await publish(rooms, ALICE)
        await self.mute(gateway, alice, old, muted=True)
        await rooms.unpublish(alice, old)
        new = await rooms.publish(alice)
        with pytest.raises(TrackNotFoundError):
            await self.mute(gateway, alice, old, muted=True)
        assert await self.mute(gateway, alice, new, muted=True) == Track(sid=new, muted=True)

    @final
    @clause
    async def test_finds_no_track_of_others(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.7 A track of another, also of the same identity elsewhere, is not found or changed."""
        alice, _ = await publish(rooms, ALICE)
        for other, sid in (await publish(rooms, BOB, alice.room), await publish(rooms, ALICE)):
            with pytest.raises(TrackNotFoundError):
                await self.mute(gateway, alice, sid, muted=True)
            assert not await rooms.is_muted(other, sid)
