"""What a subclass of the suite supplies, checked, so that a mistake is named in one line."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import iscoroutine
from typing import NoReturn

from typing_extensions import get_protocol_members

from application.ports.room_gateway import RoomGateway
from contract.room_gateway.event_loop import Failed
from contract.rooms import Rooms


@asynccontextmanager
async def enter(opening: object) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
    """Enter what ``open_gateway`` has returned.

    Raises:
        Failed: it is no async context manager of a gateway and rooms.
    """
    if opening is None:
        _fail("is not defined, or returns nothing: it has to be an async context manager")
    if not isinstance(opening, AbstractAsyncContextManager):
        if iscoroutine(opening):
            opening.close()
        _fail(f"returns {_kind(opening)}, not an async context manager: use @asynccontextmanager")
    if iscoroutine(function := getattr(opening, "gen", None)):
        function.close()
        _fail("does not yield (gateway, rooms)")
    __tracebackhide__ = True
    async with opening as opened:
        if not isinstance(opened, tuple) or len(opened) != len(("gateway", "rooms")):
            _fail(f"yields {_kind(opened)}, not a tuple (gateway, rooms)")
        gateway, rooms = opened
        _check(gateway, RoomGateway)
        _check(rooms, Rooms)
        yield gateway, rooms


def _check(given: object, port: type) -> None:
    members = get_protocol_members(port)
    if missing := sorted(name for name in members if not callable(getattr(given, name, None))):
        _fail(f"yields {_kind(given)} as {port.__name__}, without {', '.join(missing)}")


def _kind(given: object) -> str:
    return f"{type(given).__name__!r}"


def _fail(text: str) -> NoReturn:
    raise Failed(f"open_gateway() {text}", pytrace=False)
