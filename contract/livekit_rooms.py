"""Rooms that a test arranges, and LiveKit's calls about them."""

import asyncio
from collections import Counter
from typing import NoReturn

from attrs import define, evolve, field
from google.protobuf.message import Message
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    MuteRoomTrackRequest,
    MuteRoomTrackResponse,
    RoomParticipantIdentity,
)

from contract.livekit_messages import new_room, participant_info, track_info
from contract.livekit_token import Grants
from contract.twirp import TwirpError
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid

_INNER = "twirp error unknown: "  # prefix of errors from behind LiveKit's HTTP handler


@define(kw_only=True)
class LiveKitRooms:
    """Rooms, participants and tracks, and the calls that read or mute them; no room times out.

    Attributes:
        remote_unmute: LiveKit's setting ``room.enable_remote_unmute``, off by default.
        absent_wait_s: how long a mute of an absent participant takes to fail.
        psrpc: LiveKit's setting ``api.enable_psrpc_for_get_list_participants``, off by default.
        infos: what LiveKit tells of each room beside its metadata.
        denied_mutes: how many mutes of a participant who is there get ``not_found``, as happens
            with two nodes of LiveKit, where one has ``a``, ``b_c`` and the other ``a_b``, ``c``.
        denied_lookups: participants for whom GetParticipant answers ``not_found`` though they are
            there, as LiveKit does once Redis has restarted empty; ListParticipants leaves them out.
    """

    remote_unmute: bool = False
    absent_wait_s: float = 3.0
    psrpc: bool = False
    metadata: dict[RoomName, str] = field(init=False, factory=dict)
    tracks: dict[Participant, dict[TrackSid, PublishedTrack]] = field(init=False, factory=dict)
    infos: dict[RoomName, RoomInfo] = field(init=False, factory=dict)
    denied_mutes: Counter[Participant] = field(init=False, factory=Counter)
    denied_lookups: set[Participant] = field(init=False, factory=set)

    def put_room(self, name: RoomName, *, metadata: str = "") -> None:
        """Create a room, or set its metadata."""
        self.metadata[name] = metadata
        if name not in self.infos:
            self.infos[name] = new_room(CreateRoomRequest(name=name))

    def info(self, name: RoomName) -> RoomInfo:
        """Describe a room as it is now."""
        present = [tracks for who, tracks in self.tracks.items() if who.room == name]
        now = RoomInfo(
            metadata=self.metadata[name],
            num_participants=len(present),
            num_publishers=sum(map(bool, present)),
        )
        now.MergeFrom(self.infos[name])
        return now

    def put_participant(self, participant: Participant) -> None:
        """Add a participant to a room that exists."""
        if participant.room not in self.metadata:
            raise KeyError(participant.room)
        self.tracks.setdefault(participant, {})

    def put_track(self, participant: Participant, track: PublishedTrack) -> None:
        """Publish a track of a participant in a room, or change its state."""
        self.tracks[participant][track.sid] = track

    def remove_track(self, participant: Participant, sid: TrackSid) -> None:
        """Unpublish a track."""
        del self.tracks[participant][sid]

    def remove_participant(self, participant: Participant) -> None:
        """Remove a participant, with all tracks."""
        del self.tracks[participant]

    async def perform(self, asked: Message, grants: Grants) -> Message:
        """Carry out a request that the grants allow.

        Raises:
            TwirpError: LiveKit's own error.
        """
        match asked:
            case ListRoomsRequest() if grants.room_list:
                return self._list_rooms(asked)
            case ListParticipantsRequest() if grants.room_admin_of == asked.room:
                return await self._list_participants(asked)
            case RoomParticipantIdentity() if grants.room_admin_of == asked.room:
                return await self._get_participant(asked)
            case MuteRoomTrackRequest() if grants.room_admin_of == asked.room:
                return await self._mute_published_track(asked)
        raise TwirpError("unauthenticated", "permissions denied")

    def _list_rooms(self, asked: ListRoomsRequest) -> ListRoomsResponse:
        asked_once = dict.fromkeys(map(RoomName, asked.names or self.metadata))
        return ListRoomsResponse(
            rooms=[self.info(name) for name in asked_once if name in self.metadata]
        )

    async def _list_participants(self, asked: ListParticipantsRequest) -> ListParticipantsResponse:
        await self._wait_where_there_is_no_room(RoomName(asked.room))
        return ListParticipantsResponse(
            participants=[
                participant_info(participant, tracks.values())
                for participant, tracks in self.tracks.items()
                if participant.room == asked.room and participant not in self.denied_lookups
            ]
        )

    async def _get_participant(self, asked: RoomParticipantIdentity) -> ParticipantInfo:
        await self._wait_where_there_is_no_room(RoomName(asked.room))
        participant = participant_of(asked)
        tracks = self.tracks.get(participant)
        if tracks is None or participant in self.denied_lookups:
            raise TwirpError("not_found", f"{_INNER}participant does not exist")
        return participant_info(participant, tracks.values())

    async def _mute_published_track(self, asked: MuteRoomTrackRequest) -> MuteRoomTrackResponse:
        await asyncio.sleep(0)  # LiveKit forwards it to the participant's node
        participant = participant_of(asked)
        if participant not in self.tracks:
            await self._wait_for_servers()
        if self.denied_mutes[participant]:
            self.denied_mutes[participant] -= 1
            raise TwirpError("not_found", f"{_INNER}requested room does not exist")
        if not asked.muted and not self.remote_unmute:
            raise TwirpError("failed_precondition", f"{_INNER}remote unmute not enabled")
        track = self.tracks[participant].get(TrackSid(asked.track_sid))
        if track is None:
            return MuteRoomTrackResponse()
        self.put_track(participant, evolve(track, muted=asked.muted))
        return MuteRoomTrackResponse(track=track_info(self.tracks[participant][track.sid]))

    async def _wait_where_there_is_no_room(self, name: RoomName) -> None:
        if self.psrpc and name not in self.metadata:
            await self._wait_for_servers()

    async def _wait_for_servers(self) -> NoReturn:
        """Wait as LiveKit does for a server that answers, and fail."""
        await asyncio.sleep(self.absent_wait_s)
        raise TwirpError("unavailable", f"{_INNER}no response from servers")


def participant_of(asked: RoomParticipantIdentity | MuteRoomTrackRequest) -> Participant:
    """Read whom a request is about."""
    return Participant(room=RoomName(asked.room), identity=ParticipantIdentity(asked.identity))
