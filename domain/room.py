"""A room, its owner, and who may act in it."""

from enum import Enum
from typing import NewType, Self

from attrs import field, frozen

from domain import strict_json
from domain.caller import AnonymousCaller, Caller

RoomName = NewType("RoomName", str)

_OWNER_KEY = "auth_id"


class NotFoundError(Exception):
    """What the caller named does not exist for this caller."""


class RoomNotFoundReason(Enum):
    """Why a room does not exist for a caller: for the audit log, never for the caller."""

    MISSING = "missing"
    FOREIGN = "foreign"
    UNOWNED = "unowned"
    UNREADABLE = "unreadable"


class RoomNotFoundError(NotFoundError):
    """No such room, or not the caller's: one error, so that callers cannot tell which.

    ``problem`` says why an unowned room has no owner; it quotes nothing of the metadata.
    """

    def __init__(self, reason: RoomNotFoundReason, problem: str = "") -> None:
        super().__init__("no such room")
        self.reason = reason
        self.problem = problem


@frozen(kw_only=True)
class Room:
    """A room and the tenant that owns it, or ``None``."""

    name: RoomName
    owner: str | None
    problem: str = field(default="", eq=False)
    """Why there is no owner, for the audit log."""

    @classmethod
    def from_metadata(cls, name: RoomName, metadata: str) -> Self:
        """Read the owner from the room's metadata: a strict JSON object with one ``auth_id``.

        Any other metadata (no JSON object, no ``auth_id``, one that is blank or not a string, any
        key twice) means that the room has no owner.
        """
        try:
            return cls(name=name, owner=_owner(metadata))
        except _NoOwnerError as error:
            return cls(name=name, owner=None, problem=str(error))


class _NoOwnerError(Exception):
    """Metadata names no owner; the message says why and quotes nothing of it."""


def _owner(metadata: str) -> str:
    if not metadata:
        raise _NoOwnerError("no metadata")
    try:
        members = strict_json.loads_object(metadata)
    except strict_json.StrictJsonError as error:
        raise _NoOwnerError(f"metadata {error}") from None
    if _OWNER_KEY not in members:
        raise _NoOwnerError(f"metadata without {_OWNER_KEY}")
    owner = members[_OWNER_KEY]
    if not isinstance(owner, str):
        raise _NoOwnerError(f"{_OWNER_KEY} is {strict_json.type_name(owner)}, not a string")
    if not owner.strip():
        raise _NoOwnerError(f"{_OWNER_KEY} is blank")
    return owner


def authorize(caller: Caller, room: Room) -> None:
    """Let a caller act in a room: one with an id in the rooms of that id, one without in all.

    Raises:
        RoomNotFoundError: the room has another owner or none.
    """
    if isinstance(caller, AnonymousCaller):
        return
    if room.owner is None:  # also for a caller whose id is None, in a program without types
        raise RoomNotFoundError(RoomNotFoundReason.UNOWNED, room.problem)
    if caller.id != room.owner:
        raise RoomNotFoundError(RoomNotFoundReason.FOREIGN)
