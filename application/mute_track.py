"""Mute or unmute one track of one participant, for a caller who may."""

import asyncio
import math

from attrs import frozen

from application.ports.room_gateway import RoomGateway
from domain.caller import Caller, IdentifiedCaller
from domain.room import authorize
from domain.track import Participant, Track, TrackSid


@frozen(kw_only=True)
class MuteTrackCommand:
    """Who wants which track of whom muted (``True``) or unmuted (``False``)."""

    caller: Caller
    participant: Participant
    track_sid: TrackSid
    muted: bool


@frozen(kw_only=True)
class MuteTrack:
    """The use case, for any asyncio program; one deadline in seconds over all of its steps.

    The gateway keeps the deadline; it is told when that is.
    """

    gateway: RoomGateway
    deadline_s: float

    async def execute(self, command: MuteTrackCommand, *, until: float = math.inf) -> Track:
        """Carry the command out, the room's owner checked first where the caller has an id.

        Between that check and the mute lies one round trip, in which a room can change hands.
        Repeating a command is safe. ``until``, a time of the event loop's, tightens the deadline
        where less time is left.

        Returns:
            The track as reported afterwards; ``muted`` may differ from the wish.

        Raises:
            NotFoundError: the room (also one of another tenant), participant or track is not there.
            RoomGatewayError: it was not done, or nobody knows whether it was; unavailable also
                where the deadline passed.
        """
        until = min(until, asyncio.get_running_loop().time() + self.deadline_s)
        if isinstance(command.caller, IdentifiedCaller):
            room = await self.gateway.get_room(command.participant.room, until=until)
            authorize(command.caller, room)
        return await self.gateway.mute_track(
            command.participant, command.track_sid, muted=command.muted, until=until
        )
