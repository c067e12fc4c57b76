"""The tracks that the load generator mutes, and how they are created on a LiveKit."""

import asyncio
import json
from typing import Protocol

from attrs import frozen

OWNER = "tenant-a"
OTHER_TENANT = "tenant-b"
ROOMS = 50


@frozen(kw_only=True)
class Target:
    """A published track."""

    room: str
    identity: str
    track_sid: str


@frozen(kw_only=True)
class Targets:
    """The tracks on one LiveKit.

    Attributes:
        url: the LiveKit's URL.
        one_per_room: the only participant of each of ``ROOMS`` rooms.
        same_room: all participants of one room.
        other_tenant: a participant in a room of another tenant.
    """

    url: str
    one_per_room: tuple[Target, ...]
    same_room: tuple[Target, ...]
    other_tenant: Target


class Rooms(Protocol):
    """Creates rooms and participants on a LiveKit."""

    async def open(self, name: str, *, metadata: str) -> None:
        """Create a room."""

    async def join(self, room: str, identity: str) -> str:
        """Add a participant who publishes one track; return the track's sid."""


async def create_targets(rooms: Rooms, *, url: str, prefix: str, participants: int) -> Targets:
    """Create the rooms and their participants; ``participants`` of them in the same room."""
    names = [f"{prefix}-{number}" for number in range(ROOMS)]
    same_room, other_tenant = f"{prefix}-same-room", f"{prefix}-other-tenant"
    for name in [*names, same_room]:
        await rooms.open(name, metadata=json.dumps({"auth_id": OWNER}))
    await rooms.open(other_tenant, metadata=json.dumps({"auth_id": OTHER_TENANT}))
    one_per_room = await asyncio.gather(*(_join(rooms, name, "alice") for name in names))
    in_same_room = await asyncio.gather(
        *(_join(rooms, same_room, f"participant-{number}") for number in range(participants))
    )
    return Targets(
        url=url,
        one_per_room=tuple(one_per_room),
        same_room=tuple(in_same_room),
        other_tenant=await _join(rooms, other_tenant, "alice"),
    )


async def _join(rooms: Rooms, room: str, identity: str) -> Target:
    return Target(room=room, identity=identity, track_sid=await rooms.join(room, identity))
