"""Participants and tracks as LiveKit lists them, in the domain's terms."""

from collections.abc import Collection, Mapping

from livekit.api import ListParticipantsResponse, ParticipantInfo
from livekit.protocol.models import TrackInfo, TrackType
from livekit.protocol.models import TrackSource as LiveKitTrackSource

from adapters.livekit.errors import UnusableAnswerError
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


def read_listing(answer: ListParticipantsResponse) -> tuple[ListedParticipant, ...]:
    """Read a room's participants; what is not known here of a track is ``UNKNOWN``.

    Raises:
        UnusableAnswerError: the answer holds anything else, or names somebody or a track twice or
            not at all.
    """
    listed = answer.participants
    if not listed and answer.ByteSize():
        raise UnusableAnswerError(reason="answered with something else than participants")
    if not _are_names([each.identity for each in listed]):
        raise UnusableAnswerError(reason="answered with a participant twice or without identity")
    if not _are_names([track.sid for each in listed for track in each.tracks]):
        raise UnusableAnswerError(reason="answered with a track twice or without sid")
    return tuple(map(_participant, listed))


def _are_names(names: Collection[str]) -> bool:
    return all(names) and len(set(names)) == len(names)


def _participant(listed: ParticipantInfo) -> ListedParticipant:
    return ListedParticipant(
        identity=ParticipantIdentity(listed.identity), tracks=tuple(map(_track, listed.tracks))
    )


def _track(listed: TrackInfo) -> PublishedTrack:
    return PublishedTrack(
        sid=TrackSid(listed.sid),
        muted=listed.muted,
        kind=_KINDS.get(listed.type, TrackKind.UNKNOWN),
        source=_SOURCES.get(listed.source, TrackSource.UNKNOWN),
    )
