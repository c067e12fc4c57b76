"""The back door to the rooms behind a gateway: how the suite arranges them and looks into them."""

import unicodedata
from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid

ALICE = ParticipantIdentity("Alice /\u00e9 #1%20?")
BOB = ParticipantIdentity("bob")
NO_TRACK = TrackSid("TR_published_by_nobody")


class Rooms(Protocol):
    """Rooms that a suite fills; what a method has done, a gateway sees once it has returned."""

    @abstractmethod
    async def open(self, name: RoomName | None = None, *, metadata: str = "") -> RoomName:
        """Open a room of this name, or of one that no room has had yet."""

    @abstractmethod
    async def set_metadata(self, name: RoomName, metadata: str) -> None:
        """Give an open room other metadata."""

    @abstractmethod
    async def close(self, name: RoomName) -> None:
        """Close a room that nobody is in."""

    @abstractmethod
    async def join(self, room: RoomName, identity: ParticipantIdentity) -> Participant:
        """Let somebody into an open room."""

    @abstractmethod
    async def leave(self, participant: Participant) -> None:
        """Let somebody go, with all their tracks."""

    @abstractmethod
    async def publish(self, participant: Participant) -> TrackSid:
        """Publish a track that is not muted."""

    @abstractmethod
    async def unpublish(self, participant: Participant, sid: TrackSid) -> None:
        """Take a track back."""

    @abstractmethod
    async def is_muted(self, participant: Participant, sid: TrackSid) -> bool:
        """Tell whether a published track is muted, as its own participant knows it by now."""

    @abstractmethod
    def unreachable(self) -> AbstractAsyncContextManager[None]:
        """Keep gateways from reaching the rooms as long as this is entered."""


def lookalikes(text: str) -> list[str]:
    """Give what a careless reader takes for this text: trimmed, folded or normalised alike."""
    return [
        f" {text}",
        f"{text} ",
        text.replace(" ", "  "),
        text.swapcase(),
        unicodedata.normalize("NFD", text),
    ]


async def unused_name(rooms: Rooms) -> RoomName:
    """Make a name that no room has, full of what gets lost on the way, each lookalike another."""
    return RoomName(f"{await rooms.open()}/Caf\u00e9 #1%20?")


async def publish(
    rooms: Rooms, identity: ParticipantIdentity, room: RoomName | None = None
) -> tuple[Participant, TrackSid]:
    """Let somebody into a room, a new one where none is given, and publish a track."""
    participant = await rooms.join(room or await rooms.open(), identity)
    return participant, await rooms.publish(participant)
