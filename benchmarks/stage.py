"""What the benchmarks find on a LiveKit, whichever it is: rooms, participants and tracks."""

import asyncio
import json
from typing import Protocol

from attrs import evolve, frozen

OWNER = "tenant-a"
STRANGER = "tenant-b"
ROOMS = 50


@frozen(kw_only=True)
class Target:
    """A track that can be asked for."""

    room: str
    identity: str
    track_sid: str


@frozen(kw_only=True)
class Stage:
    """What there is, once it is arranged.

    Attributes:
        url: where LiveKit listens.
        alone: the only participants of a room each.
        crowd: all participants of one room.
        foreign: somebody in a room of another tenant.
    """

    url: str
    alone: tuple[Target, ...]
    crowd: tuple[Target, ...]
    foreign: Target


class Rooms(Protocol):
    """How a LiveKit is filled."""

    async def open(self, name: str, *, metadata: str) -> None:
        """Open a room."""

    async def join(self, room: str, identity: str) -> str:
        """Let somebody join and publish one track; give the track's sid."""


async def arrange(rooms: Rooms, *, url: str, prefix: str, participants: int) -> Stage:
    """Open the rooms and let everybody join, as many as told in the room of the crowd."""
    names = [f"{prefix}-{number}" for number in range(ROOMS)]
    crowded, foreign = f"{prefix}-crowd", f"{prefix}-foreign"
    for name in [*names, crowded]:
        await rooms.open(name, metadata=json.dumps({"auth_id": OWNER}))
    await rooms.open(foreign, metadata=json.dumps({"auth_id": STRANGER}))
    alone = await asyncio.gather(*(_join(rooms, name, "alice") for name in names))
    crowd = await asyncio.gather(
        *(_join(rooms, crowded, f"guest-{number}") for number in range(participants))
    )
    return Stage(
        url=url, alone=tuple(alone), crowd=tuple(crowd), foreign=evolve(alone[0], room=foreign)
    )


async def _join(rooms: Rooms, room: str, identity: str) -> Target:
    return Target(room=room, identity=identity, track_sid=await rooms.join(room, identity))
