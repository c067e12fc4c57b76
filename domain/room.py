"""A room, its owner, and who may act in it."""

from enum import Enum
from typing import NewType, Self

from attrs import frozen

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
    """No such room, or not the caller's: one error, so that callers cannot tell which."""

    def __init__(self, reason: RoomNotFoundReason) -> None:
        super().__init__("no such room")
        self.reason = reason


@frozen(kw_only=True)
class Room:
    """A room and the tenant that owns it, or ``None``."""

    name: RoomName
    owner: str | None

    @classmethod
    def from_metadata(cls, name: RoomName, metadata: str) -> Self:
        """Read the owner from the room's metadata: a strict JSON object with one ``auth_id``.

        Any other metadata (no JSON object, no ``auth_id``, one that is blank or not a string, any
        key twice) means that the room has no owner.
        """
        return cls(name=name, owner=_owner(metadata))


def _owner(metadata: str) -> str | None:
    try:
        owner = strict_json.loads_object(metadata).get(_OWNER_KEY)
    except strict_json.StrictJsonError:
        return None
    return owner if isinstance(owner, str) and owner.strip() else None


def authorize(caller: Caller, room: Room) -> None:
    """Let a caller act in a room: one with an id in the rooms of that id, one without in all.

    Raises:
        RoomNotFoundError: the room has another owner or none.
    """
    if isinstance(caller, AnonymousCaller) or caller.id == room.owner:
        return
    raise RoomNotFoundError(
        RoomNotFoundReason.UNOWNED if room.owner is None else RoomNotFoundReason.FOREIGN
    )
