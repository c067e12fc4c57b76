"""The control interface of the LiveKit double, over HTTP."""

import asyncio
import gzip
import re
from typing import Any

import aiohttp
import pytest
from livekit.api import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    LiveKitAPI,
    MuteRoomTrackRequest,
    ServerError,
)

from tests.contract.double_program import ALICE, SECRET, Program, post
from tests.support.command import TIMEOUT_S

LIST_ROOMS = "/twirp/livekit.RoomService/ListRooms"


@pytest.fixture
async def url(double_program: Program) -> str:
    assert await post(double_program.url, "reset") == (204, None)
    return double_program.url


async def calls(url: str) -> dict[str, int]:
    async with aiohttp.request("GET", f"{url}/double/calls") as answer:
        counted: dict[str, int] = await answer.json()
        return counted


async def hear_nothing(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with session.post(url):
            pass


async def asked_once(url: str) -> None:
    while True:
        if await calls(url) == {"ListRooms": 1}:
            return
        await asyncio.sleep(0.01)


def livekit(url: str) -> LiveKitAPI:
    return LiveKitAPI(url, "devkey", SECRET, failover=False)


class TestControl:
    async def test_makes_participants_and_tracks(self, url: str) -> None:
        await post(url, "join", **ALICE)
        status, published = await post(url, "publish", **ALICE, kind="video", source="camera")
        assert (status, published["sid"][:3]) == (200, "TR_")
        async with livekit(url) as api:
            (listed,) = (
                await api.room.list_participants(ListParticipantsRequest(room="lobby"))
            ).participants
            (room,) = (await api.room.list_rooms(ListRoomsRequest())).rooms
        assert (room.name, room.num_participants, room.num_publishers) == ("lobby", 1, 1)
        (track,) = listed.tracks
        assert (listed.identity, track.sid) == ("alice", published["sid"])
        assert (track.type, track.source, track.muted) == (1, 1, False)

    async def test_replaces_who_joins_again(self, url: str) -> None:
        await post(url, "join", **ALICE)
        await post(url, "publish", **ALICE, sid="TR_mic")
        assert await post(url, "join", **ALICE) == (204, None)
        assert (await post(url, "unpublish", **ALICE, sid="TR_mic"))[0] == 404

    async def test_leaves_a_room_as_it_is_where_somebody_joins(self, url: str) -> None:
        async with livekit(url) as api:
            await api.room.create_room(CreateRoomRequest(name="lobby", metadata="any"))
            await post(url, "join", **ALICE)
            (room,) = (await api.room.list_rooms(ListRoomsRequest())).rooms
        assert room.metadata == "any"

    async def test_makes_a_new_room_where_it_was_deleted(self, url: str) -> None:
        await post(url, "join", **ALICE)
        async with livekit(url) as api:
            (first,) = (await api.room.list_rooms(ListRoomsRequest())).rooms
            await api.room.delete_room(DeleteRoomRequest(room="lobby"))
            await post(url, "join", **ALICE)
            (second,) = (await api.room.list_rooms(ListRoomsRequest())).rooms
        assert first.sid != second.sid

    async def test_removes_participants_and_tracks(self, url: str) -> None:
        await post(url, "join", **ALICE)
        await post(url, "publish", **ALICE, sid="TR_mic")
        assert await post(url, "unpublish", **ALICE, sid="TR_mic") == (204, None)
        assert await post(url, "leave", **ALICE) == (204, None)
        assert (await post(url, "publish", **ALICE))[0] == 404

    async def test_unpacks_no_body_as_livekit_does_not(self, url: str) -> None:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        body = gzip.compress(b"{}")
        async with aiohttp.request("POST", url + LIST_ROOMS, data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "malformed")

    async def test_fails_calls_so_many_times(self, url: str) -> None:
        error = {"twirp": {"code": "aborted", "msg": "so it is", "status": 418}}
        await post(url, "fail", call="ListRooms", times=2, answer=error)
        for _ in range(2):
            async with aiohttp.request("POST", url + LIST_ROOMS) as answer:
                assert answer.status == 418
                assert await answer.json() == {"code": "aborted", "msg": "so it is"}
        async with livekit(url) as api:
            await api.room.list_rooms(ListRoomsRequest())
        assert await calls(url) == {"ListRooms": 3}

    async def test_fails_every_call_until_it_is_reset(self, url: str) -> None:
        page = {"status": 502, "content_type": "text/html", "body": "é"}
        await post(url, "fail", call="*", times=None, answer={"http": page})
        for name in ("ListRooms", "ListRooms", "GetParticipant"):
            async with aiohttp.request("POST", f"{url}/twirp/livekit.RoomService/{name}") as answer:
                assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
                assert await answer.read() == "é".encode()
        await post(url, "reset")
        async with livekit(url) as api:
            await api.room.list_rooms(ListRoomsRequest())

    async def test_hangs_up(self, url: str) -> None:
        await post(url, "fail", call="ListRooms", answer="hang_up")
        async with aiohttp.ClientSession() as session:
            await hear_nothing(session, url + LIST_ROOMS)

    async def test_is_silent_until_it_is_reset(self, url: str) -> None:
        await post(url, "fail", call="ListRooms", answer="silence")
        async with aiohttp.ClientSession() as session:
            asking = asyncio.create_task(hear_nothing(session, url + LIST_ROOMS))
            async with asyncio.timeout(TIMEOUT_S):
                await asked_once(url)
            assert not asking.done()
            await post(url, "reset")
            await asking

    async def test_configures_and_resets(self, url: str) -> None:
        await post(url, "configure", remote_unmute=True, absent_wait_s=0)
        await post(url, "join", **ALICE)
        absent = MuteRoomTrackRequest(room="lobby", identity="bob", track_sid="TR_any", muted=True)
        unmute = MuteRoomTrackRequest(**ALICE, track_sid="TR_any", muted=False)
        async with livekit(url) as api:
            with pytest.raises(ServerError, match="no response from servers"):
                await api.room.mute_published_track(absent)
            await api.room.mute_published_track(unmute)
            await post(url, "reset")
            assert not (await api.room.list_rooms(ListRoomsRequest())).rooms
            await post(url, "join", **ALICE)
            with pytest.raises(ServerError, match="remote unmute not enabled"):
                await api.room.mute_published_track(unmute)

    @pytest.mark.parametrize(
        ("name", "fields", "error"),
        [
            ("join", {"room": "lobby"}, "identity: missing"),
            ("join", {**ALICE, "room": ""}, "room: must be a string that is not empty"),
            ("join", {**ALICE, "identity": 3}, "identity: must be a string that is not empty"),
            ("join", {**ALICE, "sid": "TR"}, "sid: unknown; there are room, identity"),
            ("publish", {**ALICE, "kind": "data"}, "kind: must be one of audio, video"),
            ("publish", {**ALICE, "muted": 1}, "muted: must be true or false"),
            *(
                (
                    "configure",
                    {"absent_wait_s": wait},
                    "absent_wait_s: must be a number of seconds from 0 to 3600",
                )
                for wait in (-1, True, 3601)
            ),
            ("fail", {"call": "ListRooms"}, "answer: missing"),
            (
                "fail",
                {"call": "ListRooms", "answer": "silence", "times": 0},
                "times: must be an integer from 1, or null",
            ),
            (
                "fail",
                {"call": "*", "answer": {"twirp": {}}},
                "answer.twirp.code: missing",
            ),
            (
                "fail",
                {"call": "*", "answer": {"http": {"status": 199}}},
                "answer.http.status: must be an integer from 200 to 599",
            ),
            (
                "fail",
                {"call": "*", "answer": {"http": {"status": 200, "content_type": "a\nb"}}},
                "answer.http.content_type: must be printable ASCII",
            ),
            (
                "fail",
                {"call": "*", "answer": {"http": "any"}},
                "answer.http: must be an object, not a string",
            ),
            (
                "fail",
                {"call": "*", "answer": "any"},
                'answer: must be "silence", "hang_up", {"twirp": {...}} or {"http": {...}}',
            ),
            ("reset", {"any": 1}, "any: unknown; there are none"),
        ],
    )
    async def test_names_the_field_that_is_wrong(
        self, url: str, name: str, fields: dict[str, Any], error: str
    ) -> None:
        assert await post(url, name, **fields) == (400, {"error": error})

    @pytest.mark.parametrize("call", ["ListRoom", 3, None])
    async def test_names_the_calls_that_may_fail(self, url: str, call: object) -> None:
        status, answer = await post(url, "fail", call=call, answer="silence")
        assert status == 400
        assert re.match(r"call: must be one of CreateRoom, .*, \*$", answer["error"])

    async def test_takes_nothing_but_an_object(self, url: str) -> None:
        async with aiohttp.request("POST", f"{url}/double/join", data=b"[]") as answer:
            assert answer.status == 400
            assert await answer.json() == {"error": "the body is not a JSON object"}

    async def test_names_the_field_that_is_given_twice(self, url: str) -> None:
        twice = b'{"room": "a", "room": "b", "identity": "c"}'
        async with aiohttp.request("POST", f"{url}/double/join", data=twice) as answer:
            assert answer.status == 400
            assert await answer.json() == {"error": "room: given twice"}

    async def test_knows_no_other_path(self, url: str) -> None:
        assert await post(url, "calls") == (404, {"error": "there is no POST /double/calls"})
