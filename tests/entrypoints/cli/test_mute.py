"""What the double cannot arrange: the command on gateways of other kinds."""

import asyncio
import json

import pytest
from attrs import field, frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.room_access import RoomAccess
from domain.caller import AnonymousCaller
from domain.room import RoomName
from domain.track import ListedParticipant, Participant, ParticipantIdentity, Track, TrackSid
from entrypoints.cli.errors import SomeFailedError, StateDiffersError
from entrypoints.cli.mute import MuteArguments, mute_tracks
from tests.application.recording_gateway import RecordingGateway
from tests.entrypoints.cli.conftest import ROOM, participant, track
from tests.support.timeouts import HOUR_S

TRACKS = 25


@frozen
class SlowGateway(InMemoryRoomGateway):
    """Counts, at each mute, how many are in progress."""

    in_progress: set[TrackSid] = field(init=False, factory=set)
    counts: list[int] = field(init=False, factory=list)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        self.in_progress.add(track_sid)
        self.counts.append(len(self.in_progress))
        for _ in range(5):
            await asyncio.sleep(0)
        self.in_progress.remove(track_sid)
        return await super().mute_track(
            participant,
            track_sid,
            muted=muted,
            room_was_read=room_was_read,
            deadline=deadline,
        )


class LeavingGateway(InMemoryRoomGateway):
    """Somebody leaves right after being listed."""

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        listed = await super().list_participants(room, deadline=deadline)
        self.rooms.remove_participant(participant("bob"))
        return listed


def asked_for_all(*, as_json: bool = False) -> MuteArguments:
    return MuteArguments(
        caller=AnonymousCaller(),
        room=ROOM,
        identity=None,
        track_sid=None,
        source=None,
        muted=True,
        as_json=as_json,
    )


class TestMuteTracks:
    async def test_mutes_ten_tracks_at_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        rooms = InMemoryRooms(remote_unmute=False)
        rooms.put_room(ROOM)
        rooms.put_participant(participant("alice"))
        for number in range(TRACKS):
            rooms.put_track(participant("alice"), track(f"TR_{number}"))
        gateway = SlowGateway(rooms)
        await mute_tracks(asked_for_all(), RoomAccess(gateway=gateway, timeout_s=HOUR_S))
        assert max(gateway.counts) == 10
        assert len(capsys.readouterr().out.splitlines()) == TRACKS

    async def test_counts_the_tracks_of_who_has_left_as_failed_and_mutes_the_others(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whoever comes back has tracks with new sids, which are not muted."""
        rooms = InMemoryRooms(remote_unmute=False)
        rooms.put_room(ROOM)
        for identity in ("alice", "bob"):
            rooms.put_participant(participant(identity))
            rooms.put_track(participant(identity), track(f"TR_{identity}"))
        access = RoomAccess(gateway=LeavingGateway(rooms), timeout_s=HOUR_S)
        with pytest.raises(SomeFailedError):
            await mute_tracks(asked_for_all(as_json=True), access)
        alice, bob = map(json.loads, capsys.readouterr().out.splitlines())
        assert (alice["track_sid"], alice["muted"]) == ("TR_alice", True)
        assert (bob["track_sid"], bob["code"]) == ("TR_bob", "PARTICIPANT_NOT_FOUND")

    @pytest.mark.parametrize("muted", [True, False])
    async def test_fails_where_another_state_is_reported(
        self, capsys: pytest.CaptureFixture[str], muted: bool
    ) -> None:
        asked = MuteArguments(
            caller=AnonymousCaller(),
            room=ROOM,
            identity=ParticipantIdentity("alice"),
            track_sid=TrackSid("TR_1"),
            source=None,
            muted=muted,
            as_json=False,
        )
        reported = f"reports that it is {'not muted' if muted else 'muted'}"
        with pytest.raises(StateDiffersError, match=reported):
            await mute_tracks(asked, RoomAccess(gateway=RecordingGateway(), timeout_s=HOUR_S))
        assert capsys.readouterr().out == ""
