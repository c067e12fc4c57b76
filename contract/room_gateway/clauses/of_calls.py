"""Concurrent, cancelled and late calls."""

import asyncio
from functools import partial
from typing import final

import pytest
from attrs import evolve

from application.ports.room_gateway import RoomGateway, RoomGatewayUnavailableError
from contract.room_gateway.clause import MANY, Clauses, clause, run_loop
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish
from domain.room import Room
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError


class CallClauses(Clauses):
    """Concurrent, cancelled and late calls."""

    @final
    @clause
    async def test_keeps_concurrent_calls_apart(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.1 Concurrent calls each get their own answer."""
        alice, first = await publish(rooms, ALICE, await rooms.open(metadata='{"auth_id": "a"}'))
        second, third = await rooms.publish(alice), await rooms.publish(alice)
        await self.mute(gateway, alice, second, muted=True)
        assert await rooms.is_muted(alice, second)
        outcomes = await asyncio.gather(
            self.mute(gateway, alice, first, muted=True),
            self.mute(gateway, alice, NO_TRACK, muted=True),
            self.mute(gateway, alice, second, muted=False),
            self.mute(gateway, evolve(alice, identity=BOB), third, muted=True),
            gateway.get_room(alice.room, deadline=self.deadline()),
            return_exceptions=True,
        )
        assert isinstance(outcomes[1], TrackNotFoundError)
        assert isinstance(outcomes[3], ParticipantNotFoundError)
        assert list(outcomes[::2]) == [
            Track(sid=first, muted=True),
            Track(sid=second, muted=False),
            Room(name=alice.room, owner="a"),
        ]
        muted = [await rooms.is_muted(alice, sid) for sid in (first, second, third)]
        assert muted == [True, False, False]

    @final
    @clause
    async def test_can_be_cancelled(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.2 A call that is cancelled at any moment ends as cancelled."""
        alice, sid = await publish(rooms, ALICE)
        for turns in range(MANY):
            for start in (
                partial(gateway.mute_track, alice, sid, muted=True, room_was_read=False),
                partial(gateway.get_room, alice.room),
                partial(gateway.list_participants, alice.room),
                gateway.verify_access,
            ):
                call = asyncio.ensure_future(start(deadline=self.deadline()))
                await run_loop(turns)
                cancelled = call.cancel()
                await asyncio.wait({call})
                assert call.cancelled() is cancelled

    @final
    @clause
    async def test_stays_usable_after_cancellation(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """4.3 After many cancelled calls, the gateway works as before."""
        alice, sid = await publish(rooms, ALICE)
        for turns in range(MANY):
            calls = [
                asyncio.ensure_future(self.mute(gateway, alice, sid, muted=True))
                for _ in range(MANY)
            ]
            await run_loop(turns)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        assert await self.mute(gateway, alice, sid, muted=True) == Track(sid=sid, muted=True)
        assert (await gateway.get_room(alice.room, deadline=self.deadline())).name == alice.room

    @final
    @clause
    async def test_sends_nothing_too_late(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.4 A call that has no time left is unavailable and changes nothing."""
        alice, sid = await publish(rooms, ALICE)
        other = await rooms.publish(alice)
        await gateway.get_room(alice.room, deadline=self.deadline())  # from here on connected
        await self.mute(gateway, alice, other, muted=True)
        for late_s in (0, 3600):
            late = asyncio.get_running_loop().time() - late_s
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(alice.room, deadline=late)
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(alice, sid, muted=True, room_was_read=False, deadline=late)
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.list_participants(alice.room, deadline=late)
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.verify_access(deadline=late)
        await self.mute(gateway, alice, other, muted=False)
        assert not await rooms.is_muted(alice, other)  # so what was sent before has arrived, too
        assert not await rooms.is_muted(alice, sid)
