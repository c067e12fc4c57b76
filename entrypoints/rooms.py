"""The rooms, opened for one command with settings from the environment."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.room_access import RoomAccess
from entrypoints.room_container import RoomContainer
from entrypoints.settings.rooms import GatewayKind, load_room_settings

T = TypeVar("T")


def run_in_rooms(use: Callable[[RoomAccess], Awaitable[T]], *, gateway: GatewayKind) -> T:
    """Run what uses the rooms, and return its result.

    Raises:
        SettingsError: a setting of LiveKit is wrong.
        Exception: whatever ``use`` raises.
    """
    settings = load_room_settings(os.environ, gateway=gateway)
    # Not closed: that would wait for a thread of the resolver, beyond the deadline.
    return asyncio.Runner().run(_run(use, RoomContainer(settings=settings)))


async def _run(use: Callable[[RoomAccess], Awaitable[T]], container: RoomContainer) -> T:
    async with container.open_gateway() as gateway:
        return await use(container.room_access(gateway=gateway))
