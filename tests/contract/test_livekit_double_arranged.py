"""The LiveKit double does as a test tells it to."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import evolve
from livekit.api import ServerErrorCode, VideoGrants
from livekit.protocol.room import (
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    RoomParticipantIdentity,
)
from yarl import URL

from contract.livekit_answers import hang_up, silence, twirp_error
from contract.livekit_double import LiveKitDouble
from contract.livekit_messages import TURN_PASSWORD
from contract.rooms import ALICE, BOB, publish
from contract.twirp import STATUSES
from domain.room import RoomName
from domain.track import Participant
from tests.contract import livekit_over_http as wire
from tests.contract.livekit_over_http import HttpAnswer, LiveKit, double_served


async def list_rooms(livekit: LiveKit) -> HttpAnswer:
    return await livekit.ask(
        "ListRooms", ListRoomsRequest(), livekit.token(VideoGrants(room_list=True))
    )


async def get_participant(livekit: LiveKit, who: Participant) -> HttpAnswer:
    asked = RoomParticipantIdentity(room=who.room, identity=who.identity)
    return await livekit.ask("GetParticipant", asked, livekit.admin(who.room))


async def list_participants(livekit: LiveKit, room: RoomName) -> HttpAnswer:
    asked = ListParticipantsRequest(room=room)
    return await livekit.ask("ListParticipants", asked, livekit.admin(room))


async def hear_nothing(url: URL) -> None:
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with aiohttp.request("POST", url):
            pass


class TestAnswers:
    async def test_are_used_once_each_in_order(self, double: LiveKitDouble) -> None:
        double.fail_next("ListRooms", twirp_error("aborted", "1"), twirp_error("internal", "2"))
        double.fail_next("ListRooms", twirp_error("internal", "3", status=200))
        async with double_served(double) as livekit:
            assert await list_rooms(livekit) == wire.twirp_error(409, "aborted", "1")
            assert await list_rooms(livekit) == wire.twirp_error(500, "internal", "2")
            assert await list_rooms(livekit) == wire.twirp_error(200, "internal", "3")
            assert (await list_rooms(livekit)).message(ListRoomsResponse) == ListRoomsResponse()

    async def test_are_for_one_call_alone(self, double: LiveKitDouble) -> None:
        double.fail_next("GetParticipant", twirp_error("internal"))
        async with double_served(double) as livekit:
            assert (await list_rooms(livekit)).status == 200

    async def test_are_for_calls_that_there_are(self, double: LiveKitDouble) -> None:
        with pytest.raises(KeyError):
            double.fail_next("ListRoom", silence)

    async def test_may_be_the_same_for_every_call(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            with double.always(hang_up):
                for _ in range(2):
                    with pytest.raises(aiohttp.ServerDisconnectedError):
                        await list_rooms(livekit)
            assert (await list_rooms(livekit)).status == 200

    async def test_may_be_missing_until_the_double_stops(self, double: LiveKitDouble) -> None:
        asked = asyncio.Event()

        async def hear_and_be_silent(request: web.Request) -> web.StreamResponse:
            asked.set()
            return await silence(request)

        double.fail_next("ListRooms", hear_and_be_silent)
        async with TestServer(double.app()) as server, asyncio.TaskGroup() as asking:
            task = asking.create_task(
                hear_nothing(server.make_url("/twirp/livekit.RoomService/ListRooms"))
            )
            await asked.wait()
            assert not task.done()
            await server.close()

    def test_are_possible_for_every_code(self) -> None:
        known = {code for name, code in vars(ServerErrorCode).items() if name.isupper()}
        assert known == set(STATUSES)


class TestRecords:
    async def test_count_what_was_asked(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            await list_rooms(livekit)
            await livekit.send("ListRooms", headers={"Authorization": "Bearer garbage"})
            await livekit.send("GetParticipant", headers={})
            await livekit.send("Unknown", headers={})
        assert double.calls == {"ListRooms": 2, "GetParticipant": 1}

    async def test_keep_the_last_headers_of_each_call(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            for number in ("1", "2"):
                await livekit.send("ListRooms", headers={"X-Twirp-Timeout-Ms": number})
            await livekit.send("GetParticipant", headers={})
        assert double.headers["ListRooms"]["x-twirp-timeout-ms"] == "2"
        assert "X-Twirp-Timeout-Ms" not in double.headers["GetParticipant"]


class TestDenials:
    async def test_are_for_so_many_mutes(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            alice, sid = await publish(livekit.rooms, ALICE)
            await livekit.rooms.deny_mutes(alice, times=1)
            denied = await livekit.mute(alice, sid)
            assert denied == wire.twirp_error(
                404, "not_found", "twirp error unknown: requested room does not exist"
            )
            assert not await livekit.rooms.is_muted(alice, sid)
            assert (await livekit.mute(alice, sid)).status == 200

    async def test_are_of_no_concern_to_other_calls(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            alice, _ = await publish(livekit.rooms, ALICE)
            await livekit.rooms.deny_mutes(alice, times=1)
            assert (await get_participant(livekit, alice)).status == 200

    async def test_of_lookups_are_of_no_concern_to_mutes(self, double: LiveKitDouble) -> None:
        async with double_served(double) as livekit:
            alice, sid = await publish(livekit.rooms, ALICE)
            await livekit.rooms.deny_lookups(alice)
            denied = await get_participant(livekit, alice)
            assert denied == wire.twirp_error(
                404, "not_found", "twirp error unknown: participant does not exist"
            )
            assert (await livekit.mute(alice, sid)).status == 200

    async def test_of_lookups_leave_a_participant_out_of_listings(
        self, double: LiveKitDouble
    ) -> None:
        async with double_served(double) as livekit:
            alice, _ = await publish(livekit.rooms, ALICE)
            await livekit.rooms.join(alice.room, BOB)
            await livekit.rooms.deny_lookups(alice)
            listed = await list_participants(livekit, alice.room)
            (bob,) = listed.message(ListParticipantsResponse).participants
            assert bob.identity == BOB


class TestPsrpc:
    async def test_lets_list_participants_wait_in_a_missing_room_alone(
        self, double: LiveKitDouble
    ) -> None:
        double.rooms.psrpc = True
        async with double_served(double) as livekit:
            room = await livekit.rooms.open()
            waited = await list_participants(livekit, RoomName("missing"))
            assert waited == wire.twirp_error(
                503, "unavailable", "twirp error unknown: no response from servers"
            )
            assert (await list_participants(livekit, room)).status == 200

    async def test_lets_get_participant_wait_in_a_missing_room_alone(
        self, double: LiveKitDouble
    ) -> None:
        double.rooms.psrpc = True
        async with double_served(double) as livekit:
            alice, _ = await publish(livekit.rooms, ALICE)
            missing = Participant(room=RoomName("missing"), identity=ALICE)
            assert await get_participant(livekit, missing) == wire.twirp_error(
                503, "unavailable", "twirp error unknown: no response from servers"
            )
            absent = await get_participant(livekit, evolve(alice, identity=BOB))
            assert absent.status == 404
            assert (await get_participant(livekit, alice)).status == 200


class TestRooms:
    async def test_hold_a_secret(self, double: LiveKitDouble) -> None:
        double.rooms.put_room(RoomName("room"))
        async with double_served(double) as livekit:
            assert TURN_PASSWORD.encode() in (await list_rooms(livekit)).body

    def test_must_be_open_to_be_joined(self, double: LiveKitDouble) -> None:
        with pytest.raises(KeyError):
            double.rooms.put_participant(Participant(room=RoomName("room"), identity=ALICE))

    def test_keep_the_secret_out_of_sight(self, double: LiveKitDouble) -> None:
        assert double.api_secret not in repr(double)
