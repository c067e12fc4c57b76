"""The aiohttp application: routes, middlewares, and what they are made of."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from application.mute_track import MuteTrack
from application.ports.authenticator import Authenticator
from application.ports.room_gateway import RoomGateway
from entrypoints.http import health
from entrypoints.http.body import ignore_expectation
from entrypoints.http.keys import AUTHENTICATOR, LIMITS, MUTE_TRACK, ROOM_GATEWAY, TRAFFIC
from entrypoints.http.limits import Limits
from entrypoints.http.middlewares import answer_errors, limit_in_flight, refuse_malformed_http
from entrypoints.http.mute_track import mute_track
from entrypoints.http.traffic import Traffic


def create_app(
    *,
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    make_mute_track: Callable[[RoomGateway], MuteTrack],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    limits: Limits,
) -> web.Application:
    """Make the application; what it opens lives from its start to its end.

    Serve it with ``entrypoints.http.server``, which gives every answer its common headers and
    every request its event in the log.
    """
    app = web.Application(middlewares=[answer_errors, refuse_malformed_http, limit_in_flight])
    app[LIMITS] = limits
    app[TRAFFIC] = Traffic(max_in_flight=limits.max_in_flight)

    async def hold_adapters(app: web.Application) -> AsyncIterator[None]:
        async with open_authenticator() as authenticator, open_gateway() as gateway:
            app[AUTHENTICATOR] = authenticator
            app[ROOM_GATEWAY] = gateway
            app[MUTE_TRACK] = make_mute_track(gateway)
            yield

    app.cleanup_ctx.append(hold_adapters)
    app.router.add_get("/", health.live)
    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.ready)
    app.router.add_post("/livekit/participant/mute", mute_track, expect_handler=ignore_expectation)
    return app
