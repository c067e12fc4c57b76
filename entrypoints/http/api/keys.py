"""Typed keys of what all handlers find; the key of a use case is beside its handler."""

from aiohttp import web

from application.ports.authenticator import Authenticator
from application.room_access import RoomAccess

AUTHENTICATOR = web.AppKey("authenticator", Authenticator)
ROOM_ACCESS = web.AppKey("room_access", RoomAccess)
