"""The state behind the in-memory gateway, and the methods that arrange it."""

from collections import deque

from attrs import Factory, define, field

from application.ports.room_gateway import RoomGatewayError
from domain.room import RoomName
from domain.track import Participant, Track, TrackSid


@define(kw_only=True)
class InMemoryRooms:
    """Rooms with metadata, participants and tracks; ``remote_unmute`` as LiveKit's own switch."""

    remote_unmute: bool
    metadata: dict[RoomName, str] = field(init=False, factory=dict)
    tracks: dict[Participant, dict[TrackSid, Track]] = field(init=False, factory=dict)
    failures: deque[RoomGatewayError] = field(init=False, default=Factory(deque))

    def put_room(self, name: RoomName, *, metadata: str = "") -> None:
        """Open a room, or give it other metadata."""
        self.metadata[name] = metadata

    def put_participant(self, participant: Participant) -> None:
        """Let somebody join a room that is there."""
        if participant.room not in self.metadata:
            raise KeyError(participant.room)
        self.tracks.setdefault(participant, {})

    def put_track(self, participant: Participant, track: Track) -> None:
        """Publish a track, or change the state of one, of a participant who is there."""
        self.tracks[participant][track.sid] = track

    def remove_track(self, participant: Participant, sid: TrackSid) -> None:
        """Unpublish a track."""
        del self.tracks[participant][sid]

    def remove_participant(self, participant: Participant) -> None:
        """Let somebody leave."""
        del self.tracks[participant]

    def fail_next(self, failure: RoomGatewayError) -> None:
        """Let the next call of the gateway fail; several failures wait in line."""
        self.failures.append(failure)
