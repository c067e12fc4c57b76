"""A room gateway for Janus: it mutes in the rooms of the VideoRoom plugin.

A room's owner is in its description, as ``{"auth_id": "tenant-a"}``. A participant's identity is
the id with which they join (``string_ids`` of the plugin), and a track's sid is the stream's mid.
"""

from attrs import field, frozen
from janus_api import VISITOR, Janus, JanusError, Members
from livekit_mute.application.ports.room_gateway import RoomGateway
from livekit_mute.domain.room import (
    NotFoundError,
    Room,
    RoomName,
    RoomNotFoundError,
    RoomNotFoundReason,
)
from livekit_mute.domain.track import (
    ListedParticipant,
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    PublishedTrack,
    Track,
    TrackKind,
    TrackNotFoundError,
    TrackSid,
    TrackSource,
)
from typing_extensions import override

_NO_SUCH_ROOM = 426
_NO_SUCH_FEED = 428  # no such participant, or none of the participant's streams
_KINDS = {kind.value: kind for kind in TrackKind}
_SOURCES = {source.value: source for source in TrackSource}


@frozen(kw_only=True)
class JanusRoomGateway(RoomGateway):
    """The port in terms of Janus' requests.

    Attributes:
        admin_key: the plugin's, with which Janus lists private rooms too.
        room_secret: with which the rooms are created, and may be moderated.
    """

    janus: Janus
    admin_key: str = field(repr=False)
    room_secret: str = field(repr=False)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        answer = await self.janus.ask(deadline, request="list", admin_key=self.admin_key)
        for room in answer["list"]:
            if room["room"] == name:
                return Room.from_metadata(name, room["description"])
        raise RoomNotFoundError(RoomNotFoundReason.MISSING)

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
        try:
            await self.janus.ask(
                deadline,
                request="moderate",
                secret=self.room_secret,
                room=participant.room,
                id=participant.identity,
                mid=track_sid,
                mute=muted,
            )
        except JanusError as error:
            if error.code == _NO_SUCH_ROOM:
                raise ParticipantNotFoundError from None
            if error.code != _NO_SUCH_FEED:
                raise
            raise await self._what_is_missing(participant, deadline) from None
        return Track(sid=track_sid, muted=muted)

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        identities = await self._identities(room, deadline)
        publishers = await self.janus.publishers(room, deadline)
        tracks = {each["id"]: _read_tracks(each["streams"]) for each in publishers}
        return tuple(
            ListedParticipant(identity=identity, tracks=tracks.get(identity, ()))
            for identity in identities
        )

    @override
    async def verify_access(self, *, deadline: float) -> None:
        await self.janus.ask(deadline, request="list", admin_key=self.admin_key)

    async def _identities(self, room: RoomName, deadline: float) -> list[ParticipantIdentity]:
        try:
            answer = await self.janus.ask(deadline, request="listparticipants", room=room)
        except JanusError as error:
            if error.code != _NO_SUCH_ROOM:
                raise
            raise RoomNotFoundError(RoomNotFoundReason.MISSING) from None
        identities = [each["id"] for each in answer["participants"]]
        return [identity for identity in identities if not identity.startswith(VISITOR)]

    async def _what_is_missing(self, participant: Participant, deadline: float) -> NotFoundError:
        try:
            is_there = participant.identity in await self._identities(participant.room, deadline)
        except RoomNotFoundError:
            is_there = False
        return TrackNotFoundError() if is_there else ParticipantNotFoundError()


def _read_tracks(streams: list[Members]) -> tuple[PublishedTrack, ...]:
    return tuple(
        PublishedTrack(
            sid=TrackSid(stream["mid"]),
            muted=stream.get("moderated", False),
            kind=_KINDS.get(stream["type"], TrackKind.UNKNOWN),
            source=_SOURCES.get(stream.get("description", ""), TrackSource.UNKNOWN),
        )
        for stream in streams
        if not stream.get("disabled")  # unpublished; its place in the SDP is kept
    )
