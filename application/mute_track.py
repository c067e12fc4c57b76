"""Mute or unmute one track of one participant, for a caller who may."""

import math

from attrs import field, frozen

from application.room_access import RoomAccess
from domain.caller import Caller
from domain.track import Participant, Track, TrackSid


@frozen(kw_only=True)
class MuteTrackCommand:
    """Who asks for which track of which participant muted (``True``) or unmuted (``False``)."""

    caller: Caller
    participant: Participant
    track_sid: TrackSid = field(converter=TrackSid)
    muted: bool


@frozen(kw_only=True)
class MuteTrack:
    """The use case, for any asyncio program."""

    access: RoomAccess

    async def execute(self, command: MuteTrackCommand, *, deadline: float = math.inf) -> Track:
        """Carry the command out if the caller may; repeating it is safe.

        Args:
            command: what is to be done, and for whom.
            deadline: an instant of the event loop's clock; applies where it is sooner than the
                timeout of the access.

        Returns:
            The track as reported afterwards; ``muted`` may differ from the command.

        Raises:
            NotFoundError: the room, participant or track does not exist; also for another
                tenant's room.
            RoomGatewayError: it was not done, or it is unknown whether it was; unavailable also
                once the deadline has passed.
        """
        entry = await self.access.enter(command.caller, command.participant.room, deadline=deadline)
        return await self.access.gateway.mute_track(
            command.participant,
            command.track_sid,
            muted=command.muted,
            room_was_read=entry.room_was_read,
            deadline=entry.deadline,
        )
