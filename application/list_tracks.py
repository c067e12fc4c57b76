"""List the participants of a room and their published tracks, for a caller who may."""

import math

from attrs import field, frozen

from application.room_access import RoomAccess
from domain.caller import Caller
from domain.room import RoomName
from domain.track import ListedParticipant


@frozen(kw_only=True)
class ListTracksCommand:
    """Who asks for the tracks of which room."""

    caller: Caller
    room: RoomName = field(converter=RoomName)


@frozen(kw_only=True)
class ListTracks:
    """The use case, for any asyncio program."""

    access: RoomAccess

    async def execute(
        self, command: ListTracksCommand, *, deadline: float = math.inf
    ) -> tuple[ListedParticipant, ...]:
        """List who is in the room, if the caller may act there.

        Args:
            command: which room, and for whom.
            deadline: an instant of the event loop's clock; applies where it is sooner than the
                timeout of the access.

        Returns:
            Every participant, also those without tracks; what happened last may be missing.

        Raises:
            RoomNotFoundError: the room does not exist; also for another tenant's room.
            RoomGatewayError: the room's participants could not be read.
        """
        entry = await self.access.enter(command.caller, command.room, deadline=deadline)
        return await self.access.gateway.list_participants(command.room, deadline=entry.deadline)
