"""The port to the rooms: what any server of rooms must do for us."""

from abc import abstractmethod
from typing import Protocol

from domain.room import Room, RoomName
from domain.track import ListedParticipant, Participant, Track, TrackSid


class RoomGatewayError(Exception):
    """The rooms could not be reached, or the room server did not do as requested.

    Attributes:
        reason: what happened, in a few words for the operator's log; never upstream text.
    """

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class RoomGatewayNotConfiguredError(RoomGatewayError):
    """Settings that say where the rooms are have no value."""

    def __init__(self, *, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the room server is not configured: set {', '.join(missing)}",
            reason="not configured",
        )


class RoomGatewayUnavailableError(RoomGatewayError):
    """No answer, no answer before the deadline, or one that cannot be trusted.

    A mute that was sent may have taken effect all the same.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__("the room server is unavailable", reason=reason)


class RoomGatewayRefusedError(RoomGatewayError):
    """The room server understood the request and refused it, or refused our credentials."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the room server refused", reason=reason)


class RemoteUnmuteDisabledError(RoomGatewayError):
    """The room server lets participants unmute themselves only."""

    def __init__(self) -> None:
        super().__init__("remote unmute is disabled", reason="remote unmute is disabled")


class RoomGateway(Protocol):
    """Rooms, their participants and their participants' tracks, read and changed one at a time.

    A ``deadline`` is an instant of the event loop's clock: every method answers or fails by it;
    with no time left it fails and changes nothing. No answer comes from a cache. A cancelled call
    ends at once and leaves the gateway usable; a mute that was under way may still take effect.
    Whatever a method raises is a ``RoomGatewayError`` or one of the domain's errors.
    """

    @abstractmethod
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        """Read a room by its exact name.

        Raises:
            RoomNotFoundError: there is no such room (reason ``MISSING``).
            RoomGatewayError: the room could not be read.
        """

    @abstractmethod
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        """Mute or unmute one published track and no other; idempotent.

        Args:
            participant: whose track it is.
            track_sid: which of the participant's tracks.
            muted: the state to set.
            room_was_read: whether ``get_room`` has just found the room; a gateway then need not
                look whether it exists.
            deadline: when the call ends at the latest.

        Returns:
            The track as the room server reports it afterwards; ``muted`` may differ.

        Raises:
            ParticipantNotFoundError: that room has no such participant, or there is no such room;
                never for a participant who is there, even if the room server first denies it.
            TrackNotFoundError: the participant publishes no such track, or no longer does.
            RemoteUnmuteDisabledError: remote unmute is disabled, whether the track exists or not.
            RoomGatewayError: it was not done, or it is unknown whether it was.
        """

    @abstractmethod
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        """List all participants of a room, each with the published tracks, in no particular order.

        A listing may lag behind: it may lack what was published a moment ago, hold what is gone,
        and show a mute late.

        Raises:
            RoomNotFoundError: there is no such room (reason ``MISSING``).
            RoomGatewayError: the room's participants could not be read.
        """

    @abstractmethod
    async def verify_access(self, *, deadline: float) -> None:
        """Check that the rooms can be reached with our credentials; changes nothing.

        Raises:
            RoomGatewayError: they cannot.
        """
