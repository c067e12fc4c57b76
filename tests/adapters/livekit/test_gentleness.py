"""How little LiveKit is asked, counted at its double."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from application.ports.room_gateway import RoomGatewayUnavailableError
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import Room, RoomName, RoomNotFoundError
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    Track,
    TrackSid,
)

BOUNDS = Bounds(max_connections=300, max_rooms_per_read=16, probe_delay_s=0.05, timeout_s=20.0)
NAMES = [RoomName(f"room-{number}") for number in range(40)]
MISSING = RoomName("missing")
SID = TrackSid("TR_mic")

Gate = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def double() -> LiveKitDouble:
    rooms = LiveKitRooms(absent_wait_s=60.0)
    for name in NAMES:
        rooms.put_room(name, metadata=f'{{"auth_id": "owner of {name}"}}')
        rooms.put_participant(alice(name))
        rooms.put_track(alice(name), Track(sid=SID, muted=False))
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


@pytest.fixture
async def gateway(
    double: LiveKitDouble, aiohttp_server: AiohttpServer
) -> AsyncIterator[LiveKitRoomGateway]:
    server = await aiohttp_server(double.app())
    async with open_gateway(
        url=str(server.make_url("/")),
        api_key=partial(ApiKey, name=double.api_key, secret=double.api_secret),  # anew, but equal
        bounds=BOUNDS,
    ) as gateway:
        yield gateway


def alice(room: RoomName) -> Participant:
    return Participant(room=room, identity=ParticipantIdentity("alice"))


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def fail(_: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)


class TestReads:
    async def test_of_many_rooms_are_few_calls_and_nobodys_answer_is_anothers(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        names = [*NAMES, MISSING] * 2
        found = await asyncio.gather(
            *(gateway.get_room(name) for name in names), return_exceptions=True
        )
        for name, room in zip(names, found, strict=True):
            if name == MISSING:
                assert isinstance(room, RoomNotFoundError)
            else:
                assert room == Room(name=name, owner=f"owner of {name}")
        assert 41 / 16 <= double.calls["ListRooms"] <= 2 * 41 / 16 + 1

    async def test_see_what_changed_before_they_were_asked_for(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        """Though another read of the same room is under way."""
        for turn in range(20):
            double.rooms.put_room(NAMES[0], metadata=f'{{"auth_id": "old {turn}"}}')
            under_way = asyncio.create_task(gateway.get_room(NAMES[0]))
            while double.calls["ListRooms"] == 2 * turn:  # noqa: ASYNC110 - it comes over a socket
                await asyncio.sleep(0)
            double.rooms.put_room(NAMES[0], metadata=f'{{"auth_id": "new {turn}"}}')
            assert (await gateway.get_room(NAMES[0])).owner == f"new {turn}"
            await under_way

    async def test_that_fail_do_not_fail_those_behind_them(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.fail_next("ListRooms", fail)
        first = asyncio.create_task(gateway.get_room(NAMES[0]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it has left
        second = asyncio.create_task(gateway.get_room(NAMES[0]))
        with pytest.raises(RoomGatewayUnavailableError):
            await first
        assert (await second).name == NAMES[0]

    async def test_do_not_wait_for_one_that_hangs(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.fail_next("ListRooms", hang)
        hanging = asyncio.create_task(gateway.get_room(NAMES[0]))
        while not double.calls["ListRooms"]:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0)
        assert (await gateway.get_room(NAMES[0])).name == NAMES[0]
        assert not hanging.done()
        hanging.cancel()

    async def test_are_failed_by_a_room_that_cannot_be_read_for_those_alone_who_want_it(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        double.rooms.put_room(NAMES[0], metadata="x" * (2 << 20))
        found = await asyncio.gather(
            *(gateway.get_room(name) for name in NAMES[:5]), return_exceptions=True
        )
        assert isinstance(found[0], RoomGatewayUnavailableError)
        assert [getattr(room, "name", None) for room in found[1:]] == NAMES[1:5]
        assert double.calls == {"ListRooms": 6}


class TestMutes:
    async def test_of_one_room_take_one_token_and_those_of_others_another(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        tokens = []
        for room in (NAMES[0], NAMES[1], NAMES[0]):
            await asyncio.sleep(1)  # or else equal tokens may have been made anew
            await gateway.mute_track(alice(room), SID, muted=True)
            tokens.append(double.headers["MutePublishedTrack"]["Authorization"])
        assert tokens[0] == tokens[2] != tokens[1]

    async def test_are_one_call_each_where_livekit_answers_soon(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        await asyncio.gather(
            *(gateway.mute_track(alice(room), SID, muted=True) for room in NAMES[:5])
        )
        unheard: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        await asyncio.sleep(3 * BOUNDS.probe_delay_s)
        gc.collect()
        assert double.calls == {"MutePublishedTrack": 5}
        assert not unheard

    async def test_of_nobody_are_two_calls_each(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        absent = [ParticipantIdentity(f"nobody-{number}") for number in range(100)]
        outcomes = await asyncio.gather(
            *(
                gateway.mute_track(Participant(room=NAMES[0], identity=one), SID, muted=True)
                for one in absent
            ),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {ParticipantNotFoundError}
        assert double.calls == {"MutePublishedTrack": 100, "GetParticipant": 100}

    async def test_that_hang_have_64_participants_looked_for_at_once_at_most(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble
    ) -> None:
        with double.always(hang):
            mutes = [
                asyncio.create_task(gateway.mute_track(alice(NAMES[0]), SID, muted=True))
                for _ in range(100)
            ]
            while double.calls["GetParticipant"] < 64:  # noqa: ASYNC110 - they come over sockets
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert double.calls == {"MutePublishedTrack": 100, "GetParticipant": 64}
            for mute in mutes:
                mute.cancel()
            await asyncio.wait(mutes)
