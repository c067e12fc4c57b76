"""What every use case does before it acts in a room: limit its time and check its caller."""

import asyncio
import math

from attrs import frozen

from application.ports.room_gateway import RoomGateway
from application.ports.turns import TENANT
from domain.caller import AnonymousCaller, Caller
from domain.room import RoomName, authorize


@frozen(kw_only=True)
class RoomEntry:
    """The permission of a caller to act in a room.

    Attributes:
        deadline: the deadline for what follows.
        room_was_read: whether the room was read, so that it exists.
    """

    deadline: float
    room_was_read: bool


@frozen(kw_only=True)
class RoomAccess:
    """The room gateway as use cases share it, with one timeout for all that each asks of it.

    A ``deadline`` is an instant of the event loop's clock.
    """

    gateway: RoomGateway
    timeout_s: float = 5.0

    async def enter(
        self, caller: Caller, room: RoomName, *, deadline: float = math.inf
    ) -> RoomEntry:
        """Check that a caller may act in a room; it is read only where the caller has an id.

        Between this check and what follows lies one round trip, in which a room can change hands.

        Returns:
            What applies to what follows; its deadline is the one given, or sooner.

        Raises:
            RoomNotFoundError: the room does not exist or belongs to somebody else.
            RoomGatewayError: the room could not be read.
        """
        deadline = self._tighten(deadline)
        if isinstance(caller, AnonymousCaller):
            TENANT.set(None)
            return RoomEntry(deadline=deadline, room_was_read=False)
        TENANT.set(caller.id)
        authorize(caller, await self.gateway.get_room(room, deadline=deadline))
        return RoomEntry(deadline=deadline, room_was_read=True)

    async def verify(self, *, deadline: float = math.inf) -> None:
        """Check that rooms can be reached with our credentials.

        Raises:
            RoomGatewayError: they cannot.
        """
        TENANT.set(None)
        await self.gateway.verify_access(deadline=self._tighten(deadline))

    def _tighten(self, deadline: float) -> float:
        return min(deadline, asyncio.get_running_loop().time() + self.timeout_s)
