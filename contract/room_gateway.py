"""What every room gateway promises, as a suite of tests to be subclassed.

A subclass supplies two fixtures: ``rooms``, the back door, and ``gateway``, to the same rooms,
with remote unmute as the suite's fixture ``remote_unmute`` says. What its rooms cannot do it
declares in ``differs``. Where the room server waits for somebody who is absent, ``timeout_s`` is
to be shorter than that wait, so that a gateway that waits along fails with another error.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, final

import pytest
from attrs import evolve

from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGateway,
    RoomGatewayUnavailableError,
)
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish, similar_names, unused_name
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)

MANY = 20  # more than the connections that an adapter's test file lets its gateway have
WITHOUT_REMOTE_UNMUTE = pytest.mark.parametrize(
    "remote_unmute", [False], ids=["without-remote-unmute"]
)


async def run_loop(turns: int) -> None:
    """Let the event loop run for this many turns."""
    for _ in range(turns):
        await asyncio.sleep(0)


class RoomGatewayContract:
    """The promises, numbered."""

    differs: ClassVar[Mapping[str, str]] = {}
    """The tests that an adapter's rooms rule out, each with the reason."""
    timeout_s: ClassVar[float] = 30.0
    """How long each call of the gateway may take."""

    @pytest.fixture
    def remote_unmute(self) -> bool:
        """Whether others than the participant may unmute."""
        return True

    def deadline(self) -> float:
        """Give the deadline of a call that is made now."""
        return asyncio.get_running_loop().time() + self.timeout_s

    async def mute(
        self,
        gateway: RoomGateway,
        participant: Participant,
        sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool = False,
    ) -> Track:
        """Mute or unmute a track within the time of a call."""
        return await gateway.mute_track(
            participant, sid, muted=muted, room_was_read=room_was_read, deadline=self.deadline()
        )

    @final
    async def test_reads_a_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.1 A room is read with its name and its owner, both unchanged."""
        name = await rooms.open(metadata='{"auth_id": "Tenant \u00e9", "topic": "any"}')
        assert await gateway.get_room(name, deadline=self.deadline()) == Room(
            name=name, owner="Tenant \u00e9"
        )

    @final
    async def test_reads_a_room_without_owner(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.2 A room whose metadata names no owner has none."""
        for metadata in ("", "tenant", '"tenant"', "{}", '{"auth_id": 1}', '{"auth_id": " "}'):
            name = await rooms.open(metadata=metadata)
            assert await gateway.get_room(name, deadline=self.deadline()) == Room(
                name=name, owner=None
            )

    @final
    async def test_finds_no_missing_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.3 A room that does not exist is missing."""
        with pytest.raises(RoomNotFoundError) as caught:
            await gateway.get_room(await unused_name(rooms), deadline=self.deadline())
        assert caught.value.reason is RoomNotFoundReason.MISSING

    @final
    async def test_finds_no_room_by_a_similar_name(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """1.4 A room is missing under every name but its own, however similar."""
        name = await rooms.open(await unused_name(rooms))
        for similar in similar_names(name):
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(RoomName(similar), deadline=self.deadline())

    @final
    async def test_tells_similar_names_apart(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.5 Rooms with similar names each have their own owner."""
        name = await unused_name(rooms)
        names = [RoomName(text) for text in (name, *similar_names(name))]
        for number, each in enumerate(names):
            await rooms.open(each, metadata=f'{{"auth_id": "tenant-{number}"}}')
        owners = [(await gateway.get_room(each, deadline=self.deadline())).owner for each in names]
        assert owners == [f"tenant-{number}" for number in range(len(names))]

    @final
    async def test_reads_a_room_as_it_is_now(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.6 A room that was created, deleted or given another owner is read as it is now."""
        name = await unused_name(rooms)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name, deadline=self.deadline())
        await rooms.open(name, metadata='{"auth_id": "old"}')
        assert (await gateway.get_room(name, deadline=self.deadline())).owner == "old"
        await rooms.set_metadata(name, '{"auth_id": "new"}')
        assert (await gateway.get_room(name, deadline=self.deadline())).owner == "new"
        await rooms.close(name)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name, deadline=self.deadline())

    @final
    async def test_reads_no_unreachable_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.7 Unreachable rooms are unavailable, never missing."""
        name = await rooms.open()
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(name, deadline=self.deadline())

    @final
    async def test_mutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.1 A muted track is reported as muted, and its participant is told."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        assert not await rooms.is_muted(alice, sid)
        assert await self.mute(gateway, alice, sid, muted=True) == Track(sid=sid, muted=True)
        assert await rooms.is_muted(alice, sid)

    @final
    async def test_unmutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.2 An unmuted track is reported as not muted, and its participant is told."""
        alice, sid = await publish(rooms, ALICE)
        await self.mute(gateway, alice, sid, muted=True)
        assert await rooms.is_muted(alice, sid)
        assert await self.mute(gateway, alice, sid, muted=False) == Track(sid=sid, muted=False)
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_is_idempotent(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.3 Setting the state that a track has already succeeds and changes nothing."""
        alice, sid = await publish(rooms, ALICE)
        for muted in (False, False, True, True, False, False):
            assert await self.mute(gateway, alice, sid, muted=muted) == Track(sid=sid, muted=muted)
            assert await rooms.is_muted(alice, sid) is muted

    @final
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
    async def test_finds_no_unknown_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.5 A track that was never published is not found, neither to mute nor to unmute."""
        alice, sid = await publish(rooms, ALICE)
        for unknown in (NO_TRACK, TrackSid(sid.swapcase()), TrackSid(sid[:-1])):
            for muted in (True, False):
                with pytest.raises(TrackNotFoundError):
                    await self.mute(gateway, alice, unknown, muted=muted)
        assert not await rooms.is_muted(alice, sid)

    @final
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
    async def test_finds_no_track_of_others(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.7 A track of another, also of the same identity elsewhere, is not found or changed."""
        alice, _ = await publish(rooms, ALICE)
        for other, sid in (await publish(rooms, BOB, alice.room), await publish(rooms, ALICE)):
            with pytest.raises(TrackNotFoundError):
                await self.mute(gateway, alice, sid, muted=True)
            assert not await rooms.is_muted(other, sid)

    @final
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
    async def test_mutes_no_unreachable_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.11 Tracks in unreachable rooms are unavailable, whoever the participant is."""
        alice, sid = await publish(rooms, ALICE)
        for participant in (alice, evolve(alice, identity=BOB)):
            async with rooms.unreachable():
                with pytest.raises(RoomGatewayUnavailableError):
                    await self.mute(gateway, participant, sid, muted=True)

    @final
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

    @final
    async def test_mutes_a_participant_who_is_denied_once(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.13 A participant in the room is muted though the server denies them to one mute."""
        alice, sid = await publish(rooms, ALICE)
        for read in (True, False):
            await rooms.deny_mutes(alice, times=1)
            track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            assert track == Track(sid=sid, muted=read)
            assert await rooms.is_muted(alice, sid) is read

    @final
    async def test_reports_no_denied_participant_as_absent(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.14 A participant in the room is muted or unavailable though every mute denies them."""
        alice, sid = await publish(rooms, ALICE)
        await rooms.deny_mutes(alice, times=MANY)
        for read in (True, False):
            try:
                track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            except RoomGatewayUnavailableError:
                continue
            assert track == Track(sid=sid, muted=read)

    @final
    async def test_mutes_a_participant_whose_lookups_are_denied(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """2.15 A participant in the room is muted though lookups of them are denied."""
        alice, sid = await publish(rooms, ALICE)
        await rooms.deny_lookups(alice)
        for read in (True, False):
            track = await self.mute(gateway, alice, sid, muted=read, room_was_read=read)
            assert track == Track(sid=sid, muted=read)
            assert await rooms.is_muted(alice, sid) is read

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_refuses_to_unmute(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """3.1 Without remote unmute, unmuting is refused and muting is not."""
        alice, sid = await publish(rooms, ALICE)
        assert await self.mute(gateway, alice, sid, muted=True) == Track(sid=sid, muted=True)
        with pytest.raises(RemoteUnmuteDisabledError):
            await self.mute(gateway, alice, sid, muted=False)
        assert await rooms.is_muted(alice, sid)

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_refuses_to_unmute_an_unknown_track(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """3.2 Without remote unmute, unmuting is refused for an unknown track, too."""
        alice, _ = await publish(rooms, ALICE)
        with pytest.raises(RemoteUnmuteDisabledError):
            await self.mute(gateway, alice, NO_TRACK, muted=False)
        with pytest.raises(TrackNotFoundError):
            await self.mute(gateway, alice, NO_TRACK, muted=True)

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_finds_no_absent_participant_to_unmute(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """3.3 Without remote unmute, an absent participant is still not found."""
        alice, sid = await publish(rooms, ALICE)
        with pytest.raises(ParticipantNotFoundError):
            await self.mute(gateway, evolve(alice, identity=BOB), sid, muted=False)

    @final
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
    async def test_can_be_cancelled(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.2 A call that is cancelled at any moment ends as cancelled."""
        alice, sid = await publish(rooms, ALICE)
        for turns in range(MANY):
            for start in (
                partial(gateway.mute_track, alice, sid, muted=True, room_was_read=False),
                partial(gateway.get_room, alice.room),
                gateway.verify_access,
            ):
                call = asyncio.ensure_future(start(deadline=self.deadline()))
                await run_loop(turns)
                cancelled = call.cancel()
                await asyncio.wait({call})
                assert call.cancelled() is cancelled

    @final
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
                await gateway.verify_access(deadline=late)
        await self.mute(gateway, alice, other, muted=False)
        assert not await rooms.is_muted(alice, other)  # so what was sent before has arrived, too
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_verifies_access(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """5.1 Access is verified without changing anything, with or without rooms."""
        await gateway.verify_access(deadline=self.deadline())
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata='{"auth_id": "a"}'))
        await gateway.verify_access(deadline=self.deadline())
        assert not await rooms.is_muted(alice, sid)
        assert await gateway.get_room(alice.room, deadline=self.deadline()) == Room(
            name=alice.room, owner="a"
        )

    @final
    async def test_verifies_no_access_to_unreachable_rooms(
        self, gateway: RoomGateway, rooms: Rooms
    ) -> None:
        """5.2 Access to unreachable rooms is unavailable until they can be reached again."""
        await gateway.verify_access(deadline=self.deadline())
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.verify_access(deadline=self.deadline())
        await gateway.verify_access(deadline=self.deadline())
