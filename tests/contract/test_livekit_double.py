"""The LiveKit double answers calls as LiveKit does: each test asks both, where both are there."""

import asyncio

import pytest
from attrs import evolve
from livekit.api import VideoGrants
from livekit.protocol.models import ParticipantInfo, TrackInfo, TrackSource, TrackType
from livekit.protocol.room import (
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    MuteRoomTrackResponse,
    RoomParticipantIdentity,
)

from contract.rooms import ALICE, BOB, NO_TRACK, publish, unused_name
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid
from tests.contract.livekit_over_http import MUTE, HttpAnswer, LiveKit, twirp_error
from tests.contract.livekit_versions import BEHAVIOUR, NO_RESPONSE
from tests.support.timeouts import scaled

NOT_ENABLED = twirp_error(
    412, "failed_precondition", "twirp error unknown: remote unmute not enabled"
)
ABSENT = twirp_error(404, "not_found", "twirp error unknown: participant does not exist")
REMOTE_UNMUTE = pytest.mark.parametrize("remote_unmute", [True], ids=["remote-unmute"])
LONG_WAIT = pytest.mark.parametrize("absent_wait_s", [60.0], ids=["long-wait"])
EMPTY = TrackSid("")


def reported(answer: HttpAnswer) -> tuple[str, bool] | None:
    """Read which track an answer tells of, and whether that is muted."""
    message = answer.message(MuteRoomTrackResponse)
    return (message.track.sid, message.track.muted) if message.HasField("track") else None


class TestMutePublishedTrack:
    async def test_mutes(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        assert reported(await livekit.mute(alice, sid)) == (sid, True)
        assert await livekit.rooms.is_muted(alice, sid)

    async def test_mutes_again(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.mute(alice, sid)
        assert reported(await livekit.mute(alice, sid)) == (sid, True)
        assert await livekit.rooms.is_muted(alice, sid)

    @REMOTE_UNMUTE
    async def test_unmutes(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.mute(alice, sid)
        assert reported(await livekit.mute(alice, sid, muted=False)) == (sid, False)
        assert not await livekit.rooms.is_muted(alice, sid)

    async def test_refuses_to_unmute_by_default(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.mute(alice, sid)
        assert await livekit.mute(alice, sid, muted=False) == NOT_ENABLED
        assert await livekit.rooms.is_muted(alice, sid)

    async def test_refuses_to_unmute_without_looking_for_the_track(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        assert await livekit.mute(alice, NO_TRACK, muted=False) == NOT_ENABLED

    @pytest.mark.parametrize("sid", [NO_TRACK, EMPTY])
    async def test_answers_without_a_track_for_an_unknown_sid(
        self, livekit: LiveKit, sid: TrackSid
    ) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        assert reported(await livekit.mute(alice, sid)) is None

    @REMOTE_UNMUTE
    async def test_unmutes_no_unknown_track(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        assert reported(await livekit.mute(alice, NO_TRACK, muted=False)) is None

    async def test_answers_without_a_track_for_a_stale_sid(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.rooms.unpublish(alice, sid)
        assert reported(await livekit.mute(alice, sid)) is None

    async def test_answers_without_a_track_for_a_sid_of_others(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        bob, sid = await publish(livekit.rooms, BOB, alice.room)
        assert reported(await livekit.mute(alice, sid)) is None
        assert not await livekit.rooms.is_muted(bob, sid)

    async def test_times_out_for_an_unknown_participant(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        assert await livekit.mute(evolve(alice, identity=BOB), sid) == NO_RESPONSE

    async def test_times_out_in_an_unknown_room(self, livekit: LiveKit) -> None:
        absent = Participant(room=await unused_name(livekit.rooms), identity=ALICE)
        assert await livekit.mute(absent, NO_TRACK) == NO_RESPONSE

    async def test_times_out_for_a_participant_who_has_left(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.rooms.leave(alice)
        assert await livekit.mute(alice, sid) == NO_RESPONSE

    async def test_times_out_before_it_refuses_to_unmute(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        assert await livekit.mute(evolve(alice, identity=BOB), sid, muted=False) == NO_RESPONSE

    @LONG_WAIT
    @pytest.mark.parametrize("timeout_ms", ["50", "0", "-1"])
    async def test_obeys_the_timeout_header(self, livekit: LiveKit, timeout_ms: str) -> None:
        absent = Participant(room=await unused_name(livekit.rooms), identity=ALICE)
        headers = {"X-Twirp-Timeout-Ms": timeout_ms}
        answer = await livekit.mute(absent, NO_TRACK, headers=headers)
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout

    async def test_mutes_nothing_in_no_time(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        headers = {"X-Twirp-Timeout-Ms": "0"}
        answer = await livekit.mute(alice, sid, headers=headers)
        assert answer in BEHAVIOUR[livekit.version].after_the_timeout
        assert not livekit.is_in_time or not await livekit.rooms.is_muted(alice, sid)

    @pytest.mark.parametrize("timeout_ms", ["4000", "soon", ""])
    async def test_mutes_in_time(self, livekit: LiveKit, timeout_ms: str) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        headers = {"X-Twirp-Timeout-Ms": timeout_ms}
        assert reported(await livekit.mute(alice, sid, headers=headers)) == (sid, True)

    async def test_speaks_json(self, livekit: LiveKit) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        request = {"room": alice.room, "identity": alice.identity, "track_sid": sid, "muted": True}
        answer = await livekit.ask_in_json(MUTE, request, livekit.admin(alice.room))
        track = answer.json()["track"]
        assert isinstance(track, dict)
        assert (track["sid"], track["muted"], track["type"]) == (sid, True, "AUDIO")

    async def test_answers_without_a_track_in_json(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        request = {
            "room": alice.room,
            "identity": alice.identity,
            "trackSid": NO_TRACK,
            "muted": True,
        }
        answer = await livekit.ask_in_json(MUTE, request, livekit.admin(alice.room))
        assert answer.json() == {"track": None}


class TestGetParticipant:
    async def get(self, livekit: LiveKit, who: Participant) -> HttpAnswer:
        asked = RoomParticipantIdentity(room=who.room, identity=who.identity)
        return await livekit.ask("GetParticipant", asked, livekit.admin(who.room))

    async def test_finds_a_participant(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        participant = (await self.get(livekit, alice)).message(ParticipantInfo)
        assert participant.identity == ALICE
        assert participant.state == ParticipantInfo.State.ACTIVE
        assert participant.sid.startswith("PA_")

    async def test_does_not_find_an_unknown_participant(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        assert await self.get(livekit, evolve(alice, identity=BOB)) == ABSENT

    async def test_does_not_find_anybody_in_an_unknown_room(self, livekit: LiveKit) -> None:
        name = await unused_name(livekit.rooms)
        assert await self.get(livekit, Participant(room=name, identity=ALICE)) == ABSENT

    async def test_does_not_find_a_participant_who_has_left(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        await livekit.rooms.leave(alice)
        assert await self.get(livekit, alice) == ABSENT

    async def test_answers_in_no_time(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open()
        asked = RoomParticipantIdentity(room=name, identity=ALICE)
        answer = await livekit.ask(
            "GetParticipant", asked, livekit.admin(name), headers={"X-Twirp-Timeout-Ms": "0"}
        )
        assert answer == ABSENT

    async def test_speaks_json(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        asked = {"room": alice.room, "identity": alice.identity}
        answer = await livekit.ask_in_json("GetParticipant", asked, livekit.admin(alice.room))
        assert (answer.json()["identity"], answer.json()["state"]) == (ALICE, "ACTIVE")


class TestListParticipants:
    async def list_participants(
        self, livekit: LiveKit, room: RoomName
    ) -> dict[str, ParticipantInfo]:
        asked = ListParticipantsRequest(room=room)
        answer = await livekit.ask("ListParticipants", asked, livekit.admin(room))
        listed = answer.message(ListParticipantsResponse).participants
        assert all(participant.sid.startswith("PA_") for participant in listed)
        return {participant.identity: participant for participant in listed}

    async def tracks_once_listed(self, livekit: LiveKit, who: Participant) -> list[TrackInfo]:
        """LiveKit lists a track some time after its client has been told the sid."""
        while True:
            listed = (await self.list_participants(livekit, who.room))[who.identity]
            assert listed.is_publisher or not listed.tracks
            if listed.tracks:
                return list(listed.tracks)
            await asyncio.sleep(0.01)

    async def test_knows_everybody_in_the_room_and_nobody_else(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        await livekit.rooms.join(alice.room, BOB)
        await publish(livekit.rooms, ParticipantIdentity("elsewhere"))
        assert set(await self.list_participants(livekit, alice.room)) == {ALICE, BOB}

    async def test_knows_tracks_with_source_and_kind_once_they_are_seen(
        self, livekit: LiveKit
    ) -> None:
        alice, sid = await publish(livekit.rooms, ALICE)
        await livekit.mute(alice, sid)
        async with asyncio.timeout(scaled(30)):
            (track,) = await self.tracks_once_listed(livekit, alice)
        assert (track.sid, track.type, track.source, track.muted) == (
            sid,
            TrackType.AUDIO,
            TrackSource.UNKNOWN,
            True,
        )

    async def test_knows_nobody_in_an_empty_room(self, livekit: LiveKit) -> None:
        assert await self.list_participants(livekit, await livekit.rooms.open()) == {}

    async def test_knows_nobody_in_an_unknown_room(self, livekit: LiveKit) -> None:
        assert await self.list_participants(livekit, await unused_name(livekit.rooms)) == {}

    async def test_forgets_who_has_left(self, livekit: LiveKit) -> None:
        alice, _ = await publish(livekit.rooms, ALICE)
        await livekit.rooms.leave(alice)
        assert await self.list_participants(livekit, alice.room) == {}

    async def test_speaks_json(self, livekit: LiveKit) -> None:
        asked = {"room": await livekit.rooms.open()}
        token = livekit.admin(RoomName(asked["room"]))
        answer = await livekit.ask_in_json("ListParticipants", asked, token)
        assert answer.json() == {"participants": []}


class TestListRooms:
    async def list_rooms(self, livekit: LiveKit, *names: str) -> dict[str, str]:
        asked = ListRoomsRequest(names=names)
        token = livekit.token(VideoGrants(room_list=True))
        rooms = (await livekit.ask("ListRooms", asked, token)).message(ListRoomsResponse).rooms
        assert all(room.turn_password and room.sid.startswith("RM_") for room in rooms)
        return {room.name: room.metadata for room in rooms}

    async def test_knows_a_room(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open(await unused_name(livekit.rooms), metadata="any")
        assert await self.list_rooms(livekit, name) == {name: "any"}
        await livekit.rooms.set_metadata(name, "other")
        assert await self.list_rooms(livekit, name) == {name: "other"}

    async def test_finds_nothing_under_unknown_names(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open()
        assert await self.list_rooms(livekit, f" {name}", name.upper()) == {}
        assert await self.list_rooms(livekit, "") == {}

    async def test_finds_what_is_there_of_many_names(self, livekit: LiveKit) -> None:
        one = await livekit.rooms.open(metadata="1")
        two = await livekit.rooms.open(metadata="2")
        names = (one, two, await unused_name(livekit.rooms), one)
        assert await self.list_rooms(livekit, *names) == {one: "1", two: "2"}

    async def test_gives_every_room_where_no_name_is_given(self, livekit: LiveKit) -> None:
        one, two = await livekit.rooms.open(), await livekit.rooms.open()
        assert {one, two} <= set(await self.list_rooms(livekit))

    async def test_speaks_json(self, livekit: LiveKit) -> None:
        name = await livekit.rooms.open(metadata="any")
        token = livekit.token(VideoGrants(room_list=True))
        answer = await livekit.ask_in_json("ListRooms", {"names": [name]}, token)
        rooms = answer.json()["rooms"]
        assert isinstance(rooms, list)
        assert [(room["name"], room["metadata"]) for room in rooms] == [(name, "any")]
        assert rooms[0]["turn_password"]
        assert rooms[0]["version"] is None

    async def test_finds_nothing_in_json(self, livekit: LiveKit) -> None:
        asked = {"names": [RoomName("unknown")]}
        answer = await livekit.ask_in_json(
            "ListRooms", asked, livekit.token(VideoGrants(room_list=True))
        )
        assert answer.json() == {"rooms": []}
