"""The back door to the rooms behind a gateway: how the suite arranges and inspects them."""

import unicodedata
from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackKind, TrackSid, TrackSource

ALICE = ParticipantIdentity("Alice /\u00e9 #1%20?")
BOB = ParticipantIdentity("bob")
NO_TRACK = TrackSid("TR_never_published")


class Rooms(Protocol):
    """Rooms that a suite fills; once a method has returned, a gateway has to see what it did."""

    @abstractmethod
    async def open(self, name: RoomName | None = None, *, metadata: str = "") -> RoomName:
        """Create a room of this name, or of one that was never used."""

    @abstractmethod
    async def set_metadata(self, name: RoomName, metadata: str) -> None:
        """Set the metadata of a room."""

    @abstractmethod
    async def close(self, name: RoomName) -> None:
        """Delete an empty room."""

    @abstractmethod
    async def join(self, room: RoomName, identity: ParticipantIdentity) -> Participant:
        """Add a participant to a room."""

    @abstractmethod
    async def leave(self, participant: Participant) -> None:
        """Remove a participant, with all tracks."""

    @abstractmethod
    async def publish(
        self, participant: Participant, source: TrackSource = TrackSource.UNKNOWN
    ) -> TrackSid:
        """Publish a track of a source, and of the kind that it has, which is not muted."""

    @abstractmethod
    async def unpublish(self, participant: Participant, sid: TrackSid) -> None:
        """Unpublish a track."""

    @abstractmethod
    async def is_muted(self, participant: Participant, sid: TrackSid) -> bool:
        """Return whether a published track is muted, as its own participant knows it by now."""

    @abstractmethod
    async def deny_mutes(self, participant: Participant, *, times: int) -> None:
        """Make the server answer the next mutes of a participant, who is there, as if absent."""

    @abstractmethod
    async def deny_lookups(self, participant: Participant) -> None:
        """Make the server answer lookups of a participant, who is there, as if absent."""

    @abstractmethod
    def unreachable(self) -> AbstractAsyncContextManager[None]:
        """Make the rooms unreachable for gateways while this is entered."""


def kind_of(source: TrackSource) -> TrackKind:
    """Return what a source sends; an unknown one sends audio here."""
    is_seen = source in (TrackSource.CAMERA, TrackSource.SCREEN_SHARE)
    return TrackKind.VIDEO if is_seen else TrackKind.AUDIO


def similar_names(text: str) -> list[str]:
    """Give names that equal this one once trimmed, folded or normalised."""
    return [
        f" {text}",
        f"{text} ",
        text.replace(" ", "  "),
        text.swapcase(),
        unicodedata.normalize("NFD", text),
    ]


async def unused_name(rooms: Rooms) -> RoomName:
    """Make a name that no room has, full of characters that get lost easily."""
    return RoomName(f"{await rooms.open()}/Caf\u00e9 #1%20?")


async def publish(
    rooms: Rooms, identity: ParticipantIdentity, room: RoomName | None = None
) -> tuple[Participant, TrackSid]:
    """Add a participant to a room, by default a new one, and publish a track."""
    participant = await rooms.join(room or await rooms.open(), identity)
    return participant, await rooms.publish(participant)
