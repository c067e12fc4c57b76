"""Mutes that wait until a test lets them go on."""

import asyncio

from attrs import field, frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from domain.track import Participant, Track, TrackSid
from tests.support.service import Answer, Service


@frozen(eq=False)
class HeldGateway(InMemoryRoomGateway):
    """Holds every mute until it is released."""

    arrived: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(0))
    released: asyncio.Event = field(init=False, factory=asyncio.Event)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        self.arrived.release()
        await self.released.wait()
        return await super().mute_track(
            participant, track_sid, muted=muted, room_was_read=room_was_read, deadline=deadline
        )


async def begin_mute(service: Service, held: HeldGateway) -> asyncio.Task[Answer]:
    task = asyncio.create_task(service.mute())
    await held.arrived.acquire()
    return task
