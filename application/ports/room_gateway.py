"""The way to the rooms: what any server of rooms must do for us."""

import math
from abc import abstractmethod
from typing import Protocol

from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid


class RoomGatewayError(Exception):
    """The rooms could not be reached or did not do as asked.

    Attributes:
        reason: what happened, in a few words for the operator's log; never upstream text.
    """

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class RoomGatewayNotConfiguredError(RoomGatewayError):
    """Nobody has said where the rooms are."""

    def __init__(self, *, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the room server is not configured: set {', '.join(missing)}",
            reason="not configured",
        )


class RoomGatewayUnavailableError(RoomGatewayError):
    """No answer, no answer in time, or one that cannot be believed.

    A mute that was sent may have landed all the same.
    """

    def __init__(self, *, reason: str) -> None:
        super().__init__("the room server is unavailable", reason=reason)


class RoomGatewayRefusedError(RoomGatewayError):
    """The room server understood and said no, to us or to our credentials."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the room server refused", reason=reason)


class RemoteUnmuteDisabledError(RoomGatewayError):
    """The room server lets nobody but the participants themselves unmute."""

    def __init__(self) -> None:
        super().__init__("remote unmute is disabled", reason="remote unmute is disabled")


class RoomGateway(Protocol):
    """Rooms, their participants and their participants' tracks, read and changed one at a time.

    Every method answers or fails within the seconds that the gateway was made with, and by
    ``until``, a time of the event loop's, where that is sooner; with no time left it fails and
    changes nothing. It asks anew each time: nothing is answered from the past. Cancelled, it lets
    go at once and leaves the gateway usable; a mute that was under way may still land. Whatever a
    method raises is an error of this family or one of the domain's.
    """

    @abstractmethod
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        """Read a room by its exact name.

        Raises:
            RoomNotFoundError: there is no such room (reason ``MISSING``).
            RoomGatewayError: the rooms could not be asked.
        """

    @abstractmethod
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        """Mute or unmute one published track, and no other; asking twice is asking once.

        Returns:
            The track as the room server reports it afterwards, which may differ from the wish.

        Raises:
            ParticipantNotFoundError: nobody of that identity is in that room, or no such room.
            TrackNotFoundError: the participant publishes no such track, or no longer does.
            RemoteUnmuteDisabledError: unmuting is switched off, whether the track is there or not.
            RoomGatewayError: it was not done, or nobody knows whether it was.
        """

    @abstractmethod
    async def verify_access(self, *, until: float = math.inf) -> None:
        """Make sure that the rooms can be reached with our credentials; changes nothing.

        Raises:
            RoomGatewayError: they cannot.
        """
