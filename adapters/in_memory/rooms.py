"""The state behind the in-memory gateway, and the methods that arrange it."""

from collections import deque

from attrs import Factory, define, field

from application.ports.room_gateway import RoomGatewayError
from domain.room import RoomName
from domain.track import Participant, PublishedTrack, TrackSid


@define(kw_only=True)
class InMemoryRooms:
    """Rooms with metadata, participants and tracks; ``remote_unmute`` is LiveKit's setting."""

    remote_unmute: bool
    metadata: dict[RoomName, str] = field(init=False, factory=dict)
    tracks: dict[Participant, dict[TrackSid, PublishedTrack]] = field(init=False, factory=dict)
    failures: deque[RoomGatewayError] = field(init=False, default=Factory(deque))

    def put_room(self, name: RoomName, *, metadata: str = "") -> None:
        """Create a room, or set its metadata."""
        self.metadata[name] = metadata

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

    def fail_next(self, failure: RoomGatewayError) -> None:
        """Make the next call of the gateway fail; several failures are used in order."""
        self.failures.append(failure)
