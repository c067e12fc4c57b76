"""The suite that holds a room gateway to its port: subclass ``RoomGatewayContract``.

Knows the ports and the domain, never an adapter. It needs pytest and no plugin of it. How to use
it is described in ``docs/room-gateways.md``.
"""

from contract.room_gateway.clause import MANY
from contract.room_gateway.suite import RoomGatewayContract

__all__ = ["MANY", "RoomGatewayContract"]
