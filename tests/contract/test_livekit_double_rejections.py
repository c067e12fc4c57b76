"""The LiveKit double turns away what LiveKit turns away: each test asks both, as far as there."""

import gzip
import json

import aiohttp
import pytest
from livekit.api import VideoGrants
from livekit.protocol.room import (
    ListParticipantsRequest,
    ListRoomsRequest,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
)

from contract.rooms import ALICE, publish
from domain.room import RoomName
from tests.contract.livekit_over_http import (
    DENIED,
    JSON,
    MUTE,
    TEXT,
    HttpAnswer,
    LiveKit,
    twirp_error,
)

ROOM = RoomName("a-room")
LIST_ROOMS = VideoGrants(room_list=True)
ADMIN = VideoGrants(room_admin=True, room=ROOM)
MALFORMED_JSON = twirp_error(400, "malformed", "the json request could not be decoded")
REQUESTS = {
    "ListRooms": ListRoomsRequest(names=[ROOM]),
    "ListParticipants": ListParticipantsRequest(room=ROOM),
    "GetParticipant": RoomParticipantIdentity(room=ROOM, identity=ALICE),
    MUTE: MuteRoomTrackRequest(room=ROOM, identity=ALICE, track_sid="TR_any", muted=True),
}
ABOUT_A_ROOM = ["ListParticipants", "GetParticipant", MUTE]


def bad_route(call: str, msg: str, *, method: str = "POST") -> HttpAnswer:
    route = f"{method} /twirp/livekit.RoomService/{call}"
    return twirp_error(404, "bad_route", msg, {"twirp_invalid_route": route})


class TestGrants:
    @pytest.mark.parametrize("call", REQUESTS)
    async def test_denies_everything_without_a_token(self, livekit: LiveKit, call: str) -> None:
        assert await livekit.send(call, REQUESTS[call].SerializeToString(), headers={}) == DENIED

    @pytest.mark.parametrize("call", REQUESTS)
    async def test_denies_everything_without_grants(self, livekit: LiveKit, call: str) -> None:
        assert await livekit.ask(call, REQUESTS[call], livekit.token(VideoGrants())) == DENIED

    async def test_denies_the_rooms_to_a_rooms_admin(self, livekit: LiveKit) -> None:
        answer = await livekit.ask("ListRooms", REQUESTS["ListRooms"], livekit.token(ADMIN))
        assert answer == DENIED

    @pytest.mark.parametrize("call", ABOUT_A_ROOM)
    @pytest.mark.parametrize(
        "grants",
        [
            LIST_ROOMS,
            VideoGrants(room=ROOM),
            VideoGrants(room_admin=True),
            VideoGrants(room_admin=True, room=ROOM.upper()),
            VideoGrants(room_admin=True, room=f" {ROOM}"),
        ],
        ids=str,
    )
    async def test_denies_a_room_to_all_but_its_admin(
        self, livekit: LiveKit, call: str, grants: VideoGrants
    ) -> None:
        assert await livekit.ask(call, REQUESTS[call], livekit.token(grants)) == DENIED

    async def test_changes_nothing_where_it_denies(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        request = MuteRoomTrackRequest(
            room=alice.room, identity=alice.identity, track_sid=sid, muted=True
        )
        assert await livekit.ask(MUTE, request, livekit.token(ADMIN)) == DENIED
        assert not await livekit.rooms.is_muted(alice, sid)


class TestRoutes:
    @pytest.mark.parametrize("call", ["Unknown", "", "mutepublishedtrack", f"{MUTE}/more"])
    async def test_knows_no_other_call(self, livekit: LiveKit, call: str) -> None:
        why = f'no handler for path "/twirp/livekit.RoomService/{call}"'
        assert await livekit.send(call, headers={}) == bad_route(call, why)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_knows_no_other_method(self, livekit: LiveKit, method: str) -> None:
        why = f'unsupported method "{method}" (only POST is allowed)'
        answer = await livekit.send(MUTE, method=method, headers={})
        assert answer == bad_route(MUTE, why, method=method)

    @pytest.mark.parametrize("given", ["text/plain", "application/x-protobuf", "json"])
    async def test_knows_no_other_content_type(self, livekit: LiveKit, given: str) -> None:
        answer = await livekit.send(MUTE, headers={"Content-Type": given})
        assert answer == bad_route(MUTE, f'unexpected Content-Type: "{given}"')

    @pytest.mark.parametrize("call", ["../livekit.Unknown/Call", "../../elsewhere"])
    async def test_has_no_other_page(self, livekit: LiveKit, call: str) -> None:
        answer = await livekit.send(call, headers={})
        assert answer == HttpAnswer(status=404, content_type=TEXT, body=b"404 page not found\n")


class TestBodies:
    @pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x05abc", b"\x0a\x02\xff\xfe"])
    async def test_refuses_malformed_protobuf(self, livekit: LiveKit, body: bytes) -> None:
        malformed = twirp_error(400, "malformed", "the protobuf request could not be decoded")
        assert await livekit.send(MUTE, body, headers={}) == malformed

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b'{"room": 3}',
            b'{"room": "a", "room": "a"}',
            b'{"room": "\xff"}',
        ],
    )
    async def test_refuses_malformed_json(self, livekit: LiveKit, body: bytes) -> None:
        assert await livekit.send(MUTE, body, headers={"Content-Type": JSON}) == MALFORMED_JSON

    @pytest.mark.parametrize("given", [f"{JSON}; charset=utf-8", "Application/JSON"])
    async def test_reads_the_content_type_generously(self, livekit: LiveKit, given: str) -> None:
        headers = {"Content-Type": given, "Authorization": f"Bearer {livekit.token(LIST_ROOMS)}"}
        asked = json.dumps({"names": ["unknown"], "unknown": 1}).encode()
        answer = await livekit.send("ListRooms", asked, headers=headers)
        assert answer.json() == {"rooms": []}

    @pytest.mark.parametrize("coding", ["gzip", "br"])
    async def test_minds_no_content_coding(self, livekit: LiveKit, coding: str) -> None:
        asked = b'{"names": ["unknown"]}'
        headers = {"Content-Type": JSON, "Authorization": f"Bearer {livekit.token(LIST_ROOMS)}"}
        headers["Content-Encoding"] = coding
        assert (await livekit.send("ListRooms", asked, headers=headers)).json() == {"rooms": []}
        packed = await livekit.send("ListRooms", gzip.compress(asked), headers=headers)
        assert packed == MALFORMED_JSON

    async def test_answers_errors_in_json_always(self, livekit: LiveKit) -> None:
        asked = {"room": ROOM, "identity": ALICE}
        in_json = await livekit.ask_in_json("GetParticipant", asked, livekit.token(ADMIN))
        request = REQUESTS["GetParticipant"]
        assert await livekit.ask("GetParticipant", request, livekit.token(ADMIN)) == in_json
        assert in_json.content_type == JSON


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_root_says_that_it_is_up(livekit: LiveKit, method: str) -> None:
    async with aiohttp.request(method, livekit.url) as answer:
        assert (answer.status, await answer.text()) == (200, "OK")
