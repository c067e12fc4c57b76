"""Where handlers find what the application was made of, and what is known of a request."""

from aiohttp import web

from application.mute_track import MuteTrack
from application.ports.authenticator import Authenticator
from application.ports.room_gateway import RoomGateway
from entrypoints.http.limits import Limits
from entrypoints.http.traffic import Traffic

AUTHENTICATOR = web.AppKey("authenticator", Authenticator)
LIMITS = web.AppKey("limits", Limits)
MUTE_TRACK = web.AppKey("mute_track", MuteTrack)
ROOM_GATEWAY = web.AppKey("room_gateway", RoomGateway)
TRAFFIC = web.AppKey("traffic", Traffic)

CONNECTION_IS_SURPLUS = web.RequestKey("connection_is_surplus", bool)
VERSION_IS_SPOKEN = web.RequestKey("version_is_spoken", bool)
