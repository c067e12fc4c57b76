"""How few calls LiveKit gets, counted at its double."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from adapters.livekit.room_gateway import LiveKitRoomGateway
from application.ports.room_gateway import RoomGatewayUnavailableError
from contract.livekit_answers import silence
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    PublishedTrack,
    Track,
    TrackSid,
)
from tests.adapters.livekit.livekit_servers import HOUR_S, SECRET, gateway_to, within

NAMES = [RoomName(f"room-{number}") for number in range(40)]
MISSING = RoomName("missing")
SID = TrackSid("TR_mic")


@pytest.fixture
def double() -> LiveKitDouble:
    rooms = LiveKitRooms(absent_wait_s=HOUR_S)
    for name in NAMES:
        rooms.put_room(name, metadata=f'{{"auth_id": "owner of {name}"}}')
        rooms.put_participant(alice(name))
        rooms.put_track(alice(name), PublishedTrack(sid=SID, muted=False))
    return LiveKitDouble(api_key="key", api_secret=SECRET, rooms=rooms)


@pytest.fixture
def probe_delay_s() -> float:
    """No probes, unless a test overrides it."""
    return HOUR_S


@pytest.fixture
async def gateway(
    double: LiveKitDouble, aiohttp_server: AiohttpServer, probe_delay_s: float
) -> AsyncIterator[LiveKitRoomGateway]:
    server = await aiohttp_server(double.app())
    async with gateway_to(
        str(server.make_url("/")), probe_delay_s=probe_delay_s, max_connections=300
    ) as gateway:
        yield gateway


PROBING = pytest.mark.parametrize("probe_delay_s", [0.05])


def alice(room: RoomName) -> Participant:
    return Participant(room=room, identity=ParticipantIdentity("alice"))


async def mute(
    gateway: LiveKitRoomGateway, participant: Participant, *, room_was_read: bool = True
) -> Track:
    return await gateway.mute_track(
        participant, SID, muted=True, room_was_read=room_was_read, deadline=within(HOUR_S)
    )


async def read(gateway: LiveKitRoomGateway, name: RoomName) -> Room:
    return await gateway.get_room(name, deadline=within(HOUR_S))


async def fail(_: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)


class TestReads:
    async def test_of_many_rooms_are_few_calls_and_each_gets_its_own_room(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        names = [*NAMES, MISSING] * 2
        found = await asyncio.gather(
            *(read(gateway, name) for name in names), return_exceptions=True
        )
        for name, room in zip(names, found, strict=True):
            if name == MISSING:
                assert isinstance(room, RoomNotFoundError)
            else:
                assert room == Room(name=name, owner=f"owner of {name}")
        assert 41 / 16 <= double.calls["ListRooms"] <= 2 * 41 / 16 + 2  # the first is sent alone

    async def test_see_what_changed_before_they_were_asked_for(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        """Also while another read of the same room is under way."""
        for turn in range(20):
            double.rooms.put_room(NAMES[0], metadata=f'{{"auth_id": "old {turn}"}}')
            under_way = asyncio.create_task(read(gateway, NAMES[0]))
            while double.calls["ListRooms"] == 2 * turn:  # noqa: ASYNC110 - it comes over a socket
                await asyncio.sleep(0)
            double.rooms.put_room(NAMES[0], metadata=f'{{"auth_id": "new {turn}"}}')
            assert (await read(gateway, NAMES[0])).owner == f"new {turn}"
            await under_way

    async def test_that_fail_do_not_fail_the_next_ones(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.fail_next("ListRooms", fail)
        first = asyncio.create_task(read(gateway, NAMES[0]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it has been sent
        second = asyncio.create_task(read(gateway, NAMES[0]))
        with pytest.raises(RoomGatewayUnavailableError):
            await first
        assert (await second).name == NAMES[0]

    async def test_do_not_wait_for_one_that_hangs(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.fail_next("ListRooms", silence)
        hanging = asyncio.create_task(read(gateway, NAMES[0]))
        while not double.calls["ListRooms"]:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0)
        assert (await read(gateway, NAMES[0])).name == NAMES[0]
        assert not hanging.done()
        hanging.cancel()

    async def test_of_an_unreadable_room_fail_alone(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        """As if it were missing: larger metadata than LiveKit's own limits allow."""
        double.rooms.put_room(NAMES[1], metadata="x" * (2 << 20))
        first, unreadable, *others = await asyncio.gather(  # all but the first are one batch
            *(read(gateway, name) for name in NAMES[:6]), return_exceptions=True
        )
        assert isinstance(unreadable, RoomNotFoundError)
        assert unreadable.reason is RoomNotFoundReason.UNREADABLE
        assert [getattr(room, "name", None) for room in (first, *others)] == [
            NAMES[0],
            *NAMES[2:6],
        ]
        assert double.calls == {"ListRooms": 7}

    async def test_find_the_owner_of_a_room_with_as_much_metadata_as_livekit_allows(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        owned = '{"auth_id": "owner", "x": "%s"}'
        metadata = owned % ("x" * (524_288 - len(owned) + 2))
        for name in NAMES[:20]:
            double.rooms.put_room(name, metadata=metadata)
        rooms = await asyncio.gather(*(read(gateway, name) for name in NAMES[:20]))
        assert {room.owner for room in rooms} == {"owner"}


class TestListings:
    async def test_are_one_call_each_and_share_those_that_look_for_the_rooms(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        listings = await asyncio.gather(
            *(gateway.list_participants(name, deadline=within(HOUR_S)) for name in NAMES)
        )
        assert [len(listed) for listed in listings] == [1] * 40
        assert double.calls["ListParticipants"] == 40
        assert 40 / 16 <= double.calls["ListRooms"] <= 2 * 40 / 16 + 2


class TestReadiness:
    async def test_is_not_spoilt_by_unreadable_rooms_and_spoils_no_lookup(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        named = RoomName("livekit-mute-verifies-its-access")  # as what readiness asks for begins
        double.rooms.put_room(named, metadata="x" * (2 << 20))
        first = asyncio.create_task(read(gateway, NAMES[0]))  # those that follow are one batch
        await asyncio.sleep(0)
        for _ in range(3):
            verified, unreadable, other = await asyncio.gather(
                gateway.verify_access(deadline=within(HOUR_S)),
                read(gateway, named),
                read(gateway, NAMES[1]),
                return_exceptions=True,
            )
            assert verified is None
            assert isinstance(unreadable, RoomNotFoundError)
            assert isinstance(other, Room)
        assert (await first).name == NAMES[0]

    async def test_is_denied_where_the_answer_is_too_large_for_no_room(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        async def answer_at_length(_: web.Request) -> web.StreamResponse:
            return web.Response(body=b"\n" * (2 << 20), content_type="application/protobuf")

        double.fail_next("ListRooms", answer_at_length, answer_at_length)
        with pytest.raises(RoomGatewayUnavailableError):
            await gateway.verify_access(deadline=within(HOUR_S))
        with pytest.raises(RoomGatewayUnavailableError):
            await read(gateway, NAMES[0])


class TestMutes:
    async def test_are_one_call_each_where_livekit_answers_soon(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        await asyncio.gather(*(mute(gateway, alice(room)) for room in NAMES[:5]))
        assert double.calls == {"MutePublishedTrack": 5}

    async def test_are_not_sent_with_no_time_left(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        """Connections are there already: nothing but the check keeps a mute from being sent."""
        await read(gateway, NAMES[0])
        await mute(gateway, alice(NAMES[0]))
        for late_s in (0, HOUR_S):
            for call in (
                gateway.mute_track(
                    alice(NAMES[1]),
                    SID,
                    muted=True,
                    room_was_read=True,
                    deadline=within(-late_s),
                ),
                gateway.get_room(NAMES[1], deadline=within(-late_s)),
                gateway.list_participants(NAMES[1], deadline=within(-late_s)),
                gateway.verify_access(deadline=within(-late_s)),
            ):
                with pytest.raises(RoomGatewayUnavailableError) as failed:
                    await call
                assert failed.value.reason == "no time left"
        await read(gateway, NAMES[0])
        await mute(gateway, alice(NAMES[0]))
        assert double.calls == {"ListRooms": 2, "MutePublishedTrack": 2}
        assert not double.rooms.tracks[alice(NAMES[1])][SID].muted

    @PROBING
    async def test_of_absent_participants_are_two_calls_each(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        absent = [
            Participant(room=NAMES[0], identity=ParticipantIdentity(f"absent-{number}"))
            for number in range(100)
        ]
        outcomes = await asyncio.gather(
            *(mute(gateway, participant) for participant in absent), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {ParticipantNotFoundError}
        assert double.calls == {"MutePublishedTrack": 100, "GetParticipant": 100}

    @PROBING
    async def test_of_absent_participants_share_calls_for_rooms_that_were_not_read(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        with pytest.raises(ParticipantNotFoundError):
            await mute(gateway, alice(MISSING), room_was_read=False)
        assert double.calls == {"MutePublishedTrack": 1, "GetParticipant": 1, "ListRooms": 1}
        absent = [alice(RoomName(f"missing-{number}")) for number in range(100)]
        outcomes = await asyncio.gather(
            *(mute(gateway, participant, room_was_read=False) for participant in absent),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {ParticipantNotFoundError}
        assert max(double.calls.values()) <= 101

    async def test_that_are_denied_are_sent_once_more_to_those_who_are_there(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.rooms.denied_mutes[alice(NAMES[0])] = 1
        assert (await mute(gateway, alice(NAMES[0]))).muted
        assert double.calls == {"MutePublishedTrack": 2, "GetParticipant": 1}
        double.rooms.denied_mutes[alice(NAMES[0])] = 3
        with pytest.raises(RoomGatewayUnavailableError):
            await mute(gateway, alice(NAMES[0]), room_was_read=False)
        assert double.calls == {"MutePublishedTrack": 4, "GetParticipant": 2}

    @PROBING
    async def test_that_hang_are_probed_64_at_once_at_most(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        with double.always(silence):
            mutes = [asyncio.create_task(mute(gateway, alice(NAMES[0]))) for _ in range(100)]
            while double.calls["GetParticipant"] < 64:  # noqa: ASYNC110 - they come over sockets
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert double.calls == {"MutePublishedTrack": 100, "GetParticipant": 64}
            for each in mutes:
                each.cancel()
            await asyncio.wait(mutes)
