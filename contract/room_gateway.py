"""What every room gateway promises, as a suite of tests to be subclassed.

A subclass supplies two fixtures and nothing else: ``rooms``, the back door, and ``gateway``, to
the same rooms, whose remote unmute is as the suite's fixture ``remote_unmute`` says. What its rooms
cannot do it declares in ``differs``. No clock decides: that an answer is prompt shows where LiveKit
is slower than the gateway's own bound, so that the slow way ends in another error.
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
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, lookalikes, publish, unused_name
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


async def pass_turns(number: int) -> None:
    """Let whatever is under way take so many turns of the event loop."""
    for _ in range(number):
        await asyncio.sleep(0)


class RoomGatewayContract:
    """The promises, numbered; ``differs`` names the tests that an adapter's rooms rule out."""

    differs: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def remote_unmute(self) -> bool:
        """Whether others than the participant may unmute."""
        return True

    @final
    async def test_reads_a_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.1 A room is read with its name and its owner, both as they stand."""
        name = await rooms.open(metadata='{"auth_id": "Tenant \u00e9", "topic": "any"}')
        assert await gateway.get_room(name) == Room(name=name, owner="Tenant \u00e9")

    @final
    async def test_reads_a_room_without_owner(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.2 A room whose metadata names no owner has none."""
        for metadata in ("", "tenant", '"tenant"', "{}", '{"auth_id": 1}', '{"auth_id": " "}'):
            name = await rooms.open(metadata=metadata)
            assert await gateway.get_room(name) == Room(name=name, owner=None)

    @final
    async def test_misses_a_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.3 A room that is not there is missing."""
        with pytest.raises(RoomNotFoundError) as caught:
            await gateway.get_room(await unused_name(rooms))
        assert caught.value.reason is RoomNotFoundReason.MISSING

    @final
    async def test_takes_no_lookalike_for_a_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.4 A room is missing under every name but its own, however alike."""
        name = await rooms.open(await unused_name(rooms))
        for lookalike in lookalikes(name):
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(RoomName(lookalike))

    @final
    async def test_tells_lookalikes_apart(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.5 Rooms with names alike each have their own owner."""
        name = await unused_name(rooms)
        names = [RoomName(text) for text in (name, *lookalikes(name))]
        for number, each in enumerate(names):
            await rooms.open(each, metadata=f'{{"auth_id": "tenant-{number}"}}')
        owners = [(await gateway.get_room(each)).owner for each in names]
        assert owners == [f"tenant-{number}" for number in range(len(names))]

    @final
    async def test_reads_a_room_anew(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.6 A room that has changed hands, opened or closed since is read as it is now."""
        name = await unused_name(rooms)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name)
        await rooms.open(name, metadata='{"auth_id": "old"}')
        assert (await gateway.get_room(name)).owner == "old"
        await rooms.set_metadata(name, '{"auth_id": "new"}')
        assert (await gateway.get_room(name)).owner == "new"
        await rooms.close(name)
        with pytest.raises(RoomNotFoundError):
            await gateway.get_room(name)

    @final
    async def test_reads_no_room_out_of_reach(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """1.7 Rooms out of reach are unavailable, and missing is none of them."""
        name = await rooms.open()
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(name)

    @final
    async def test_mutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.1 A muted track is reported as muted, and its participant knows it."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        assert not await rooms.is_muted(alice, sid)
        assert await gateway.mute_track(alice, sid, muted=True) == Track(sid=sid, muted=True)
        assert await rooms.is_muted(alice, sid)

    @final
    async def test_unmutes(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.2 An unmuted track is reported as not muted, and its participant knows it."""
        alice, sid = await publish(rooms, ALICE)
        await gateway.mute_track(alice, sid, muted=True)
        assert await rooms.is_muted(alice, sid)
        assert await gateway.mute_track(alice, sid, muted=False) == Track(sid=sid, muted=False)
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_repeats(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.3 Asking for the state that holds already succeeds and leaves it as it is."""
        alice, sid = await publish(rooms, ALICE)
        for muted in (False, False, True, True, False, False):
            assert await gateway.mute_track(alice, sid, muted=muted) == Track(sid=sid, muted=muted)
            assert await rooms.is_muted(alice, sid) is muted

    @final
    async def test_leaves_other_tracks_alone(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.4 No other track changes: not of that participant, that room or a namesake."""
        alice, sid = await publish(rooms, ALICE)
        others = [
            (alice, await rooms.publish(alice)),
            await publish(rooms, BOB, alice.room),
            await publish(rooms, ALICE),
        ]
        await gateway.mute_track(alice, sid, muted=True)
        assert [await rooms.is_muted(*other) for other in others] == [False] * 3
        for other in others:
            await gateway.mute_track(*other, muted=True)
        await gateway.mute_track(alice, sid, muted=False)
        assert [await rooms.is_muted(*other) for other in others] == [True] * 3

    @final
    async def test_misses_a_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.5 A track that was never published is not found, whatever is to become of it."""
        alice, sid = await publish(rooms, ALICE)
        for unknown in (NO_TRACK, TrackSid(sid.swapcase()), TrackSid(sid[:-1])):
            for muted in (True, False):
                with pytest.raises(TrackNotFoundError):
                    await gateway.mute_track(alice, unknown, muted=muted)
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_misses_an_unpublished_track(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.6 A track that was taken back is not found, and one published since is."""
        alice, old = await publish(rooms, ALICE)
        await gateway.mute_track(alice, old, muted=True)
        await rooms.unpublish(alice, old)
        new = await rooms.publish(alice)
        with pytest.raises(TrackNotFoundError):
            await gateway.mute_track(alice, old, muted=True)
        assert await gateway.mute_track(alice, new, muted=True) == Track(sid=new, muted=True)

    @final
    async def test_misses_a_track_of_others(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.7 A track that another publishes, a namesake too, is not found and not changed."""
        alice, _ = await publish(rooms, ALICE)
        for other, sid in (await publish(rooms, BOB, alice.room), await publish(rooms, ALICE)):
            with pytest.raises(TrackNotFoundError):
                await gateway.mute_track(alice, sid, muted=True)
            assert not await rooms.is_muted(other, sid)

    @final
    async def test_misses_a_participant(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.8 Somebody who is not in the room is not found, whoever else is, there or elsewhere."""
        alice, sid = await publish(rooms, ALICE)
        bob, bobs_sid = await publish(rooms, BOB)
        identities = [BOB, *(ParticipantIdentity(text) for text in lookalikes(ALICE))]
        for absent in (
            *(Participant(room=alice.room, identity=identity) for identity in identities),
            Participant(room=await rooms.open(), identity=ALICE),
        ):
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(absent, sid, muted=True)
        with pytest.raises(ParticipantNotFoundError):
            await gateway.mute_track(evolve(bob, room=alice.room), bobs_sid, muted=True)
        assert not await rooms.is_muted(alice, sid)
        assert not await rooms.is_muted(bob, bobs_sid)

    @final
    async def test_misses_everybody_in_no_room(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.9 Nobody is found in a room that is not there, nor under a room's lookalikes."""
        alice, sid = await publish(rooms, ALICE, await rooms.open(await unused_name(rooms)))
        for name in (await unused_name(rooms), *lookalikes(alice.room)):
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(evolve(alice, room=RoomName(name)), sid, muted=True)
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_misses_who_has_left(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.10 Somebody who has left is not found; back again, they are, with new tracks alone."""
        alice, old = await publish(rooms, ALICE)
        await gateway.mute_track(alice, old, muted=True)
        await rooms.leave(alice)
        with pytest.raises(ParticipantNotFoundError):
            await gateway.mute_track(alice, old, muted=True)
        _, new = await publish(rooms, ALICE, alice.room)
        with pytest.raises(TrackNotFoundError):
            await gateway.mute_track(alice, old, muted=True)
        assert await gateway.mute_track(alice, new, muted=True) == Track(sid=new, muted=True)

    @final
    async def test_mutes_nothing_out_of_reach(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """2.11 Rooms out of reach are unavailable, whoever and whatever is named."""
        alice, sid = await publish(rooms, ALICE)
        for participant in (alice, evolve(alice, identity=BOB)):
            async with rooms.unreachable():
                with pytest.raises(RoomGatewayUnavailableError):
                    await gateway.mute_track(participant, sid, muted=True)

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_refuses_to_unmute(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """3.1 Without remote unmute, unmuting is refused and muting is not."""
        alice, sid = await publish(rooms, ALICE)
        assert await gateway.mute_track(alice, sid, muted=True) == Track(sid=sid, muted=True)
        with pytest.raises(RemoteUnmuteDisabledError):
            await gateway.mute_track(alice, sid, muted=False)
        assert await rooms.is_muted(alice, sid)

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_refuses_before_it_looks(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """3.2 Without remote unmute, unmuting is refused for a track that is not there, too."""
        alice, _ = await publish(rooms, ALICE)
        with pytest.raises(RemoteUnmuteDisabledError):
            await gateway.mute_track(alice, NO_TRACK, muted=False)
        with pytest.raises(TrackNotFoundError):
            await gateway.mute_track(alice, NO_TRACK, muted=True)

    @final
    @WITHOUT_REMOTE_UNMUTE
    async def test_refuses_nobody_who_is_absent(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """3.3 Without remote unmute, somebody who is not there is still not found."""
        alice, sid = await publish(rooms, ALICE)
        with pytest.raises(ParticipantNotFoundError):
            await gateway.mute_track(evolve(alice, identity=BOB), sid, muted=False)

    @final
    async def test_answers_each_its_own(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.1 Of several calls at once, each is answered about what it asked for."""
        alice, first = await publish(rooms, ALICE, await rooms.open(metadata='{"auth_id": "a"}'))
        second, third = await rooms.publish(alice), await rooms.publish(alice)
        await gateway.mute_track(alice, second, muted=True)
        assert await rooms.is_muted(alice, second)
        outcomes = await asyncio.gather(
            gateway.mute_track(alice, first, muted=True),
            gateway.mute_track(alice, NO_TRACK, muted=True),
            gateway.mute_track(alice, second, muted=False),
            gateway.mute_track(evolve(alice, identity=BOB), third, muted=True),
            gateway.get_room(alice.room),
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
    async def test_lets_go(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.2 A call cancelled, at whatever moment, ends as cancelled."""
        alice, sid = await publish(rooms, ALICE)
        for turns in range(MANY):
            for ask in (
                partial(gateway.mute_track, alice, sid, muted=True),
                partial(gateway.get_room, alice.room),
                gateway.verify_access,
            ):
                call = asyncio.ensure_future(ask())
                await pass_turns(turns)
                cancelled = call.cancel()
                await asyncio.wait({call})
                assert call.cancelled() is cancelled

    @final
    async def test_stays_usable(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.3 After many calls were cancelled at once, the gateway does as it did before."""
        alice, sid = await publish(rooms, ALICE)
        for turns in range(MANY):
            calls = [
                asyncio.ensure_future(gateway.mute_track(alice, sid, muted=True))
                for _ in range(MANY)
            ]
            await pass_turns(turns)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        assert await gateway.mute_track(alice, sid, muted=True) == Track(sid=sid, muted=True)
        assert (await gateway.get_room(alice.room)).name == alice.room

    @final
    async def test_keeps_time(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """4.4 A call that has no time left is unavailable, and changes nothing."""
        alice, sid = await publish(rooms, ALICE)
        now = asyncio.get_running_loop().time()
        with pytest.raises(RoomGatewayUnavailableError):
            await gateway.get_room(alice.room, until=now)
        with pytest.raises(RoomGatewayUnavailableError):
            await gateway.mute_track(alice, sid, muted=True, until=now)
        with pytest.raises(RoomGatewayUnavailableError):
            await gateway.verify_access(until=now)
        assert not await rooms.is_muted(alice, sid)

    @final
    async def test_verifies(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """5.1 Access is verified without a change, whether there is a room or none."""
        await gateway.verify_access()
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata='{"auth_id": "a"}'))
        await gateway.verify_access()
        assert not await rooms.is_muted(alice, sid)
        assert await gateway.get_room(alice.room) == Room(name=alice.room, owner="a")

    @final
    async def test_verifies_nothing_out_of_reach(self, gateway: RoomGateway, rooms: Rooms) -> None:
        """5.2 Access to rooms out of reach is unavailable, and back when they are."""
        await gateway.verify_access()
        async with rooms.unreachable():
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.verify_access()
        await gateway.verify_access()
