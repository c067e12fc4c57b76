"""Calls of livekit-api, within our bounds and in our words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from adapters.livekit.errors import FOREIGN_ERRORS, translate
from adapters.livekit.session import UNTIL

T = TypeVar("T")


async def ask(call: Awaitable[T], until: float) -> T:
    """Await a call of livekit-api, which sets no bound in time, until a time of the loop's."""
    try:
        async with asyncio.timeout_at(until):
            return await translated(call, until)
    except TimeoutError as error:
        raise translate(error) from None


async def once_more_if_cut_off(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a read whose connection ended before its answer, as kept ones do at times."""
    try:
        return await call()
    except aiohttp.ClientConnectorError:  # there never was one
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return await call()


async def translated(call: Awaitable[T], until: float) -> T:
    """Await a call that is waited for until then; what escapes it is an error of the port's."""
    UNTIL.set(until)
    try:
        return await call
    except FOREIGN_ERRORS as error:
        raise translate(error) from None
