"""The aiohttp application: routes, middlewares and what they are made of."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager

from aiohttp import web
from aiohttp.typedefs import Handler

from application.mute_track import MuteTrack
from application.ports.authenticator import Authenticator
from application.ports.room_gateway import RoomGateway
from application.room_access import RoomAccess
from entrypoints.http.api.authentication import authenticated
from entrypoints.http.api.context import Observer
from entrypoints.http.api.health import live, ready
from entrypoints.http.api.keys import AUTHENTICATOR, ROOM_ACCESS
from entrypoints.http.api.lifecycle import RequestLifecycle
from entrypoints.http.api.metrics import PATH as METRICS_PATH
from entrypoints.http.api.mute_track import MUTE_TRACK, mute_track
from entrypoints.http.limits import Limits
from entrypoints.http.server.client_address import Network
from entrypoints.http.server.expect import defer_continue
from entrypoints.http.server.keys import LIMITS, REQUEST_HOOKS, TRAFFIC
from entrypoints.http.server.middlewares import limit_in_flight, reject_malformed_http
from entrypoints.http.server.traffic import Traffic

_DEFAULT_LIMITS = Limits()
_METRICS_LIMITS = Limits(max_connections=64, shutdown_delay_s=0, drain_timeout_s=1)


def create_app(  # noqa: PLR0913 - one parameter for each part of the application
    *,
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    make_access: Callable[[RoomGateway], RoomAccess],
    limits: Limits = _DEFAULT_LIMITS,
    trusted_proxies: Sequence[Network] = (),
    begin_trace: Callable[[web.BaseRequest], str] = lambda _: "",
    observers: Sequence[Observer] = (),
    metrics: Handler | None = None,
) -> web.Application:
    """Make the application, for any server of aiohttp's.

    ``entrypoints.http.server.listener`` serves it with timeouts for slow clients, a limit of
    connections, graceful shutdown, and error responses to HTTP that cannot be parsed.

    Args:
        open_gateway: opens the gateway to the rooms, at the application's start, until its end.
        open_authenticator: the same for the source of identity.
        make_access: makes what all use cases share of the gateway.
        limits: of sizes, numbers and times.
        trusted_proxies: whose headers tell the client's address.
        begin_trace: lets the current task belong to a request's trace, and returns its id.
        observers: called once for every request, after its response.
        metrics: handles ``GET /metrics``; without one there is no such path.
    """
    lifecycle = RequestLifecycle(
        request_timeout_s=limits.request_timeout_s,
        trusted_proxies=trusted_proxies,
        begin_trace=begin_trace,
        observers=observers,
    )
    app = _without_routes(limits, lifecycle, exempt={live} if metrics is None else {live, metrics})

    async def adapters(app: web.Application) -> AsyncIterator[None]:
        async with open_authenticator() as authenticator, open_gateway() as gateway:
            app[AUTHENTICATOR] = authenticator
            app[ROOM_ACCESS] = access = make_access(gateway)
            app[MUTE_TRACK] = MuteTrack(access=access)
            yield

    app.cleanup_ctx.append(adapters)
    app.router.add_routes(
        [
            web.get("/", live, expect_handler=defer_continue),
            web.get("/livez", live, expect_handler=defer_continue),
            web.get("/readyz", ready, expect_handler=defer_continue),
            web.post(
                "/livekit/participant/mute",
                authenticated(mute_track),
                expect_handler=defer_continue,
            ),
        ]
    )
    if metrics is not None:
        app.router.add_get(METRICS_PATH, metrics, expect_handler=defer_continue)
    return app


def create_metrics_app(metrics: Handler) -> web.Application:
    """Make an application that serves metrics alone, to be served as that of ``create_app`` is.

    Its limits keep clients of this port from using up the descriptors of the service.
    """
    lifecycle = RequestLifecycle(request_timeout_s=_METRICS_LIMITS.request_timeout_s, observers=())
    app = _without_routes(_METRICS_LIMITS, lifecycle, exempt=())
    app.router.add_get(METRICS_PATH, metrics, expect_handler=defer_continue)
    return app


def _without_routes(
    limits: Limits, lifecycle: RequestLifecycle, *, exempt: Collection[Handler]
) -> web.Application:
    traffic = Traffic(max_in_flight=limits.max_in_flight)
    admission = limit_in_flight(traffic, body_grace_s=limits.body_grace_s, exempt=exempt)
    app = web.Application(middlewares=[lifecycle.middleware, reject_malformed_http, admission])
    app[LIMITS], app[TRAFFIC], app[REQUEST_HOOKS] = limits, traffic, lifecycle
    return app
