"""Participants and tracks as LiveKit lists them, in the domain's terms."""

from collections.abc import Mapping

from livekit.api import ParticipantInfo
from livekit.protocol.models import TrackInfo, TrackType
from livekit.protocol.models import TrackSource as LiveKitTrackSource

from domain.track import (
    ListedParticipant,
    ParticipantIdentity,
    PublishedTrack,
    TrackKind,
    TrackSid,
    TrackSource,
)

_KINDS: Mapping[int, TrackKind] = {
    TrackType.AUDIO: TrackKind.AUDIO,
    TrackType.VIDEO: TrackKind.VIDEO,
    TrackType.DATA: TrackKind.DATA,
}
_SOURCES: Mapping[int, TrackSource] = {
    LiveKitTrackSource.CAMERA: TrackSource.CAMERA,
    LiveKitTrackSource.MICROPHONE: TrackSource.MICROPHONE,
    LiveKitTrackSource.SCREEN_SHARE: TrackSource.SCREEN_SHARE,
    LiveKitTrackSource.SCREEN_SHARE_AUDIO: TrackSource.SCREEN_SHARE_AUDIO,
}


def read_participant(listed: ParticipantInfo) -> ListedParticipant:
    """Read a participant; a source that is not known here is ``UNKNOWN``."""
    return ListedParticipant(
        identity=ParticipantIdentity(listed.identity), tracks=tuple(map(_track, listed.tracks))
    )


def _track(listed: TrackInfo) -> PublishedTrack:
    return PublishedTrack(
        sid=TrackSid(listed.sid),
        muted=listed.muted,
        kind=_KINDS.get(listed.type, TrackKind.DATA),
        source=_SOURCES.get(listed.source, TrackSource.UNKNOWN),
    )
