"""The LiveKit double changes rooms as LiveKit does: each test asks both, where both are there."""

from typing import Any

import pytest
from google.protobuf.message import Message
from livekit.api import VideoGrants
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    UpdateRoomMetadataRequest,
)

from contract.rooms import ALICE, BOB, publish, unused_name
from domain.room import RoomName
from domain.track import Participant
from tests.contract.livekit_over_http import DENIED, HttpAnswer, LiveKit, twirp_error
from tests.contract.livekit_versions import BEHAVIOUR, NO_RESPONSE

CREATE = VideoGrants(room_create=True)
NO_ROOM = twirp_error(404, "not_found", "twirp error unknown: requested room does not exist")
NAME_TOO_LONG = twirp_error(
    400, "invalid_argument", "twirp error unknown: room name length exceeds limits: max length 256"
)
ROOM = RoomName("a-room")
REQUESTS: dict[str, Message] = {
    "CreateRoom": CreateRoomRequest(name=ROOM),
    "DeleteRoom": DeleteRoomRequest(room=ROOM),
    "UpdateRoomMetadata": UpdateRoomMetadataRequest(room=ROOM, metadata="any"),
    "RemoveParticipant": RoomParticipantIdentity(room=ROOM, identity=ALICE),
}


def metadata_too_long(limit: int) -> HttpAnswer:
    why = "metadata size exceeds limits"
    return twirp_error(400, "invalid_argument", f"{why} {limit}", {"argument": why})


async def create(livekit: LiveKit, name: str, **fields: Any) -> HttpAnswer:
    asked = CreateRoomRequest(name=name, **fields)
    return await livekit.ask("CreateRoom", asked, livekit.token(CREATE))


async def delete(livekit: LiveKit, name: str) -> HttpAnswer:
    return await livekit.ask("DeleteRoom", DeleteRoomRequest(room=name), livekit.token(CREATE))


async def update(livekit: LiveKit, name: RoomName, metadata: str) -> HttpAnswer:
    asked = UpdateRoomMetadataRequest(room=name, metadata=metadata)
    return await livekit.ask("UpdateRoomMetadata", asked, livekit.admin(name))


async def remove(livekit: LiveKit, who: Participant) -> HttpAnswer:
    asked = RoomParticipantIdentity(room=who.room, identity=who.identity)
    return await livekit.ask("RemoveParticipant", asked, livekit.admin(who.room))


async def metadata_of(livekit: LiveKit, name: str) -> str | None:
    asked = ListRoomsRequest(names=[name])
    answer = await livekit.ask("ListRooms", asked, livekit.token(VideoGrants(room_list=True)))
    rooms = answer.message(ListRoomsResponse).rooms
    return rooms[0].metadata if rooms else None


class TestCreateRoom:
    async def test_creates_a_room(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        fields = {"metadata": "any", "empty_timeout": 77, "max_participants": 5}
        room = (await create(livekit, name, **fields)).message(RoomInfo)
        assert (room.name, room.metadata) == (name, "any")
        assert (room.empty_timeout, room.departure_timeout, room.max_participants) == (77, 20, 5)
        assert room.sid.startswith("RM_")
        assert room.turn_password
        assert room.creation_time_ms // 1000 == room.creation_time > 0
        assert await metadata_of(livekit, name) == "any"

    async def test_has_timeouts_of_its_own(self, livekit: LiveKit) -> None:
        room = (await create(livekit, await unused_name(livekit.rooms))).message(RoomInfo)
        assert (room.empty_timeout, room.departure_timeout, room.max_participants) == (300, 20, 0)

    async def test_leaves_a_room_that_is_there_as_it_is(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        first = (await create(livekit, name, metadata="1", empty_timeout=77)).message(RoomInfo)
        again = await create(livekit, name, metadata="2", empty_timeout=78, max_participants=3)
        second = again.message(RoomInfo)
        assert (second.sid, second.metadata, second.empty_timeout, second.max_participants) == (
            first.sid,
            "1",
            77,
            0,
        )

    async def test_takes_an_empty_name(self, livekit: LiveKit) -> None:
        assert (await create(livekit, "")).message(RoomInfo).name == ""
        assert (await delete(livekit, "")).message(DeleteRoomResponse) == DeleteRoomResponse()

    async def test_limits_the_name_in_bytes(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open()
        longest = name + "é" * ((256 - len(name)) // 2) + "x" * (len(name) % 2)
        assert (await create(livekit, longest)).status == 200
        assert await create(livekit, f"{longest}x") == NAME_TOO_LONG

    async def test_limits_metadata(self, livekit: LiveKit) -> None:
        name, limit = await unused_name(livekit.rooms), BEHAVIOUR[livekit.version].max_metadata
        assert (await create(livekit, name, metadata="x" * limit)).status == 200
        if BEHAVIOUR[livekit.version].limits_metadata_of_new_rooms:
            longer = await create(livekit, f"{name}2", metadata="é" + "x" * (limit - 1))
            assert longer == metadata_too_long(limit)
            assert await metadata_of(livekit, f"{name}2") is None

    async def test_speaks_json(self, livekit: LiveKit) -> None:
        asked = {"name": await unused_name(livekit.rooms), "emptyTimeout": 77}
        answer = await livekit.ask_in_json("CreateRoom", asked, livekit.token(CREATE))
        assert (answer.json()["name"], answer.json()["empty_timeout"]) == (asked["name"], 77)


class TestUpdateRoomMetadata:
    async def test_sets_metadata(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open(metadata="1")
        room = (await update(livekit, name, "2")).message(RoomInfo)
        assert (room.name, room.metadata) == (name, "2")
        assert await metadata_of(livekit, name) == "2"
        assert (await update(livekit, name, "")).message(RoomInfo).metadata == ""

    async def test_does_not_find_an_unknown_room(self, livekit: LiveKit) -> None:
        assert await update(livekit, await unused_name(livekit.rooms), "any") == NO_ROOM

    async def test_limits_metadata_before_it_looks_at_grants(self, livekit: LiveKit) -> None:
        limit = BEHAVIOUR[livekit.version].max_metadata
        asked = UpdateRoomMetadataRequest(room=ROOM, metadata="x" * (limit + 1))
        answer = await livekit.send("UpdateRoomMetadata", asked.SerializeToString(), headers={})
        assert answer == metadata_too_long(limit)


class TestDeleteRoom:
    async def test_deletes_a_room(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open()
        assert (await delete(livekit, name)).message(DeleteRoomResponse) == DeleteRoomResponse()
        assert await metadata_of(livekit, name) is None

    async def test_deletes_everybody_in_it(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        assert (await delete(livekit, alice.room)).status == 200
        assert await livekit.mute(alice, sid) == NO_RESPONSE

    async def test_does_not_find_an_unknown_room(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open()
        await livekit.rooms.close(name)
        assert await delete(livekit, name) == NO_ROOM
        assert await delete(livekit, await unused_name(livekit.rooms)) == NO_ROOM

    async def test_makes_room_for_another_of_that_name(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        first = (await create(livekit, name, metadata="1")).message(RoomInfo)
        await livekit.rooms.close(name)
        second = (await create(livekit, name)).message(RoomInfo)
        assert second.sid != first.sid
        assert second.metadata == ""


class TestRemoveParticipant:
    async def test_removes_a_participant_alone(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        bob, sid_of_bob = await publish(livekit.rooms, BOB, alice.room)
        removed = (await remove(livekit, alice)).message(RemoveParticipantResponse)
        assert removed == RemoveParticipantResponse()
        assert await livekit.mute(alice, sid) == NO_RESPONSE
        assert (await livekit.mute(bob, sid_of_bob)).status == 200

    async def test_does_not_find_the_absent(self, livekit: LiveKit) -> None:
        room = await livekit.rooms.open()
        answer = await remove(livekit, Participant(room=room, identity=ALICE))
        assert answer == BEHAVIOUR[livekit.version].nobody_to_remove

    async def test_does_not_find_anybody_in_an_unknown_room(self, livekit: LiveKit) -> None:
        room = await unused_name(livekit.rooms)
        answer = await remove(livekit, Participant(room=room, identity=ALICE))
        assert answer == BEHAVIOUR[livekit.version].nobody_to_remove


class TestGrants:
    @pytest.mark.parametrize("call", REQUESTS)
    @pytest.mark.parametrize(
        "grants",
        [VideoGrants(), VideoGrants(room_list=True), VideoGrants(room_admin=True, room="other")],
        ids=str,
    )
    async def test_deny(self, livekit: LiveKit, call: str, grants: VideoGrants) -> None:
        assert await livekit.ask(call, REQUESTS[call], livekit.token(grants)) == DENIED

    @pytest.mark.parametrize("call", ["CreateRoom", "DeleteRoom"])
    async def test_deny_rooms_to_their_admin(self, livekit: LiveKit, call: str) -> None:
        assert await livekit.ask(call, REQUESTS[call], livekit.admin(ROOM)) == DENIED

    @pytest.mark.parametrize("call", ["UpdateRoomMetadata", "RemoveParticipant"])
    async def test_deny_what_an_admin_may_to_who_creates(self, livekit: LiveKit, call: str) -> None:
        assert await livekit.ask(call, REQUESTS[call], livekit.token(CREATE)) == DENIED

    async def test_come_before_the_length_of_a_name(self, livekit: LiveKit) -> None:
        asked = CreateRoomRequest(name="x" * 257)
        assert await livekit.ask("CreateRoom", asked, livekit.token(VideoGrants())) == DENIED


class TestTimeout:
    """Changes take place in time or not at all, and nothing is waited for that is not there.

    LiveKit itself reports the timeout too, but seldom has made the change nevertheless.
    """

    async def ask(self, livekit: LiveKit, call: str, asked: Message, token: str) -> HttpAnswer:
        return await livekit.ask(call, asked, token, headers={"X-Twirp-Timeout-Ms": "0"})

    async def test_lets_no_room_be_created(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        asked, token = CreateRoomRequest(name=name), livekit.token(CREATE)
        answer = await self.ask(livekit, "CreateRoom", asked, token)
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout
        assert not livekit.is_in_time or await metadata_of(livekit, name) is None

    async def test_lets_no_room_be_changed(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open(metadata="1")
        asked = UpdateRoomMetadataRequest(room=name, metadata="2")
        answer = await self.ask(livekit, "UpdateRoomMetadata", asked, livekit.admin(name))
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout
        asked_to_delete, token = DeleteRoomRequest(room=name), livekit.token(CREATE)
        answer = await self.ask(livekit, "DeleteRoom", asked_to_delete, token)
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout
        assert not livekit.is_in_time or await metadata_of(livekit, name) == "1"

    async def test_lets_nobody_be_removed(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        asked = RoomParticipantIdentity(room=alice.room, identity=ALICE)
        answer = await self.ask(livekit, "RemoveParticipant", asked, livekit.admin(alice.room))
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout
        assert not livekit.is_in_time or (await livekit.mute(alice, sid)).status == 200

    async def test_is_no_matter_where_nothing_is_there(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        asked, token = DeleteRoomRequest(room=name), livekit.token(CREATE)
        assert await self.ask(livekit, "DeleteRoom", asked, token) == NO_ROOM
        update = UpdateRoomMetadataRequest(room=name)
        admin = livekit.admin(name)
        assert await self.ask(livekit, "UpdateRoomMetadata", update, admin) == NO_ROOM
        nobody = RoomParticipantIdentity(room=name, identity=ALICE)
        answer = await self.ask(livekit, "RemoveParticipant", nobody, admin)
        assert answer == BEHAVIOUR[livekit.version].nobody_to_remove

    @pytest.mark.parametrize("timeout_ms", ["9" * 20, "9" * 400])
    async def test_may_be_longer_than_any(self, livekit: LiveKit, timeout_ms: str) -> None:
        asked, token = ListRoomsRequest(names=[ROOM]), livekit.token(VideoGrants(room_list=True))
        headers = {"X-Twirp-Timeout-Ms": timeout_ms}
        assert (await livekit.ask("ListRooms", asked, token, headers=headers)).status == 200
