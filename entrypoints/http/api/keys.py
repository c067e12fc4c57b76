"""Typed keys of what all handlers find; the key of a use case is beside its handler."""

from collections.abc import Callable

from aiohttp import web

from application.ports.authenticator import Authenticator
from application.room_access import RoomAccess

AUTHENTICATOR = web.AppKey("authenticator", Authenticator)
UNREADY: web.AppKey[Callable[[], str]] = web.AppKey("unready", Callable[[], str])  # type: ignore[arg-type]
"""Says why the service as a whole is not ready, empty if it may be."""
ROOM_ACCESS = web.AppKey("room_access", RoomAccess)
