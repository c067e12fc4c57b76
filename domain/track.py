"""A participant of a room, and a track that it publishes."""

from typing import NewType

from attrs import frozen

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

    room: RoomName
    identity: ParticipantIdentity


@frozen(kw_only=True)
class Track:
    """A published track by its session id, and whether it is muted."""

    sid: TrackSid
    muted: bool
