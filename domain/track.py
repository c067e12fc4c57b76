"""A participant of a room, and a track that it publishes."""

from enum import Enum
from typing import NewType

from attrs import field, frozen

from domain.room import NotFoundError, RoomName

ParticipantIdentity = NewType("ParticipantIdentity", str)
TrackSid = NewType("TrackSid", str)


class ParticipantNotFoundError(NotFoundError):
    """The room has no participant of that identity."""

    def __init__(self) -> None:
        super().__init__("no such participant in the room")


class TrackNotFoundError(NotFoundError):
    """The participant publishes no such track, or no longer does."""

    def __init__(self) -> None:
        super().__init__("the participant publishes no such track")


@frozen(kw_only=True)
class Participant:
    """A participant of a room; the identity is unique within it."""

    room: RoomName = field(converter=RoomName)
    identity: ParticipantIdentity = field(converter=ParticipantIdentity)


@frozen(kw_only=True)
class Track:
    """A published track by its session id, and whether it is muted."""

    sid: TrackSid = field(converter=TrackSid)
    muted: bool


class TrackKind(Enum):
    """What a track carries; ``UNKNOWN`` if the room server names a kind that is not known here."""

    UNKNOWN = "unknown"
    AUDIO = "audio"
    VIDEO = "video"
    DATA = "data"


class TrackSource(Enum):
    """Where a track comes from, as the participant's client says; ``UNKNOWN`` if it does not."""

    UNKNOWN = "unknown"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"


@frozen(kw_only=True)
class PublishedTrack:
    """A published track as a listing shows it."""

    sid: TrackSid = field(converter=TrackSid)
    muted: bool
    kind: TrackKind = TrackKind.AUDIO
    source: TrackSource = TrackSource.UNKNOWN


@frozen(kw_only=True)
class ListedParticipant:
    """A participant of a room as a listing shows them, with the published tracks."""

    identity: ParticipantIdentity = field(converter=ParticipantIdentity)
    tracks: tuple[PublishedTrack, ...]
