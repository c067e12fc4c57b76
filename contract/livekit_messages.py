"""LiveKit's messages about rooms, participants and tracks."""

import secrets
import time
from collections.abc import Iterable

from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.room import CreateRoomRequest

from domain.track import Participant, PublishedTrack

TURN_PASSWORD = "turn-password-of-a-room"  # noqa: S105 - the real ones hold one
"""A secret in every answer about a room; nothing of ours may pass it on."""

_EMPTY_TIMEOUT_S = 300
_DEPARTURE_TIMEOUT_S = 20


def new_sid(prefix: str) -> str:
    """Make an id as LiveKit does: ``RM_``, ``PA_`` or ``TR_``, and what nobody guesses."""
    return prefix + secrets.token_hex(6)


def new_room(asked: CreateRoomRequest) -> RoomInfo:
    """Describe a room as it is created, with LiveKit's defaults."""
    now_s = time.time()
    return RoomInfo(
        sid=new_sid("RM_"),
        name=asked.name,
        empty_timeout=asked.empty_timeout or _EMPTY_TIMEOUT_S,
        departure_timeout=asked.departure_timeout or _DEPARTURE_TIMEOUT_S,
        max_participants=asked.max_participants,
        creation_time=int(now_s),
        creation_time_ms=int(now_s * 1000),
        turn_password=TURN_PASSWORD,
    )


def participant_info(participant: Participant, tracks: Iterable[PublishedTrack]) -> ParticipantInfo:
    """Describe a participant with these tracks."""
    published = [track_info(track) for track in tracks]
    return ParticipantInfo(
        sid=f"PA_{participant.identity}",
        identity=participant.identity,
        state=ParticipantInfo.State.ACTIVE,
        tracks=published,
        is_publisher=bool(published),
    )


def track_info(track: PublishedTrack) -> TrackInfo:
    """Describe a track."""
    return TrackInfo(
        sid=track.sid,
        muted=track.muted,
        type=track.kind.name,
        source=track.source.name,
    )
