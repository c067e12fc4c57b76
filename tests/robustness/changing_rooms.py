"""Rooms whose owners change while LiveKit is asked about them, with the history of each."""

import asyncio
import json
from collections import defaultdict
from random import Random

from attrs import define, field
from google.protobuf.message import Message
from livekit.protocol.room import MuteRoomTrackRequest
from typing_extensions import override

from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants
from domain.room import RoomName, RoomNotFoundReason

MISSING = RoomNotFoundReason.MISSING
UNOWNED = RoomNotFoundReason.UNOWNED
Owner = str | RoomNotFoundReason
"""A tenant, or why there is none."""
Mute = tuple[str, str, bool]
"""A room, an identity, and whether to mute."""


@define(kw_only=True)
class ChangingRooms(LiveKitRooms):
    """Rooms that record their owners, in a LiveKit that delays each call at random."""

    random: Random
    delay_s: float
    owners: dict[RoomName, list[tuple[float, Owner]]] = field(
        init=False, factory=lambda: defaultdict(list)
    )
    """The owners of each room, and since when."""
    newest: RoomName | None = field(init=False, default=None)
    """The room whose owner changed last."""
    mutes: dict[str, list[Mute]] = field(init=False, factory=lambda: defaultdict(list))
    """The mute calls for each track."""

    def set_owner(self, room: RoomName, owner: Owner) -> None:
        """Give a room to a tenant, or to nobody, or close it."""
        if owner is MISSING:
            self.metadata.pop(room, None)
        elif owner is UNOWNED:
            self.put_room(room, metadata=self.random.choice(["", "{}", '{"auth_id": 1}', "["]))
        else:
            self.put_room(room, metadata=json.dumps({"auth_id": owner}))
        self.newest = room
        self.owners[room].append((asyncio.get_running_loop().time(), owner))

    def owners_between(self, room: RoomName, begun_s: float, ended_s: float) -> set[Owner]:
        """Return all owners that a room had in an interval; a room never opened is missing."""
        history = self.owners.get(room, [(0.0, MISSING)])
        changes = [*(since_s for since_s, _ in history[1:]), float("inf")]
        return {
            owner
            for (since_s, owner), until_s in zip(history, changes, strict=True)
            if since_s <= ended_s and until_s >= begun_s
        }

    @override
    async def perform(self, asked: Message, grants: Grants) -> Message:
        await self._delay()
        if isinstance(asked, MuteRoomTrackRequest):
            self.mutes[asked.track_sid].append((asked.room, asked.identity, asked.muted))
        answer = await super().perform(asked, grants)
        await self._delay()
        return answer

    async def _delay(self) -> None:
        await asyncio.sleep(self.random.random() * self.delay_s)
