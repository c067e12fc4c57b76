"""What every room gateway promises, as one class of tests to be subclassed."""

from contract.room_gateway.clauses.of_access import AccessClauses
from contract.room_gateway.clauses.of_calls import CallClauses
from contract.room_gateway.clauses.of_denials import DenialClauses
from contract.room_gateway.clauses.of_listings import ListingClauses
from contract.room_gateway.clauses.of_participants import ParticipantClauses
from contract.room_gateway.clauses.of_rooms import RoomClauses
from contract.room_gateway.clauses.of_tracks import TrackClauses
from contract.room_gateway.clauses.of_unmute import UnmuteClauses


class RoomGatewayContract(  # pytest runs the clauses of the last base class first
    ListingClauses,
    AccessClauses,
    CallClauses,
    UnmuteClauses,
    DenialClauses,
    ParticipantClauses,
    TrackClauses,
    RoomClauses,
):
    """The promises, numbered; a subclass says how to open a gateway and its rooms.

    It defines ``open_gateway``, an async context manager. What its rooms cannot do it declares in
    ``differs``.
    """
