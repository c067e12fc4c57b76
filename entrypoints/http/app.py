"""The aiohttp application: routes, middlewares and what they are made of."""

from collections.abc import AsyncIterator, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from application.mute_track import MuteTrack
from application.ports.authenticator import Authenticator
from application.ports.rate_limiter import FailureLimiter, RateLimiter
from application.ports.room_gateway import RoomGateway
from application.room_access import RoomAccess
from entrypoints.http.api.authentication import authenticated, key_of
from entrypoints.http.api.context import Observer
from entrypoints.http.api.cors import answer_preflights, share_responses
from entrypoints.http.api.health import live, ready
from entrypoints.http.api.keys import AUTHENTICATOR, ROOM_ACCESS, UNREADY
from entrypoints.http.api.lifecycle import RequestLifecycle
from entrypoints.http.api.metrics import PATH as METRICS_PATH
from entrypoints.http.api.mute_track import MUTE_TRACK, mute_track
from entrypoints.http.api.rates import RATE_LIMITER, limit_failures, limit_rate
from entrypoints.http.limits import Limits
from entrypoints.http.server.client_address import Network
from entrypoints.http.server.expect import defer_continue
from entrypoints.http.server.keys import LIMITS, REQUEST_HOOKS, TRAFFIC
from entrypoints.http.server.middlewares import limit_in_flight, reject_malformed_http
from entrypoints.http.server.traffic import Traffic

_DEFAULT_LIMITS = Limits()
_METRICS_LIMITS = Limits(max_connections=64, leave_delay_s=0.1, drain_timeout_s=1)


def create_app(  # noqa: PLR0913 - one parameter for each part of the application
    *,
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    make_access: Callable[[RoomGateway], RoomAccess],
    open_rate_limiter: Callable[[], AbstractAsyncContextManager[RateLimiter]] | None = None,
    failure_limiter: FailureLimiter | None = None,
    limits: Limits = _DEFAULT_LIMITS,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Collection[str] = (),
    begin_trace: Callable[[web.BaseRequest], str] = lambda _: "",
    observers: Sequence[Observer] = (),
    metrics: Handler | None = None,
    unready: Callable[[], str] | None = None,
) -> web.Application:
    """Make the application, for any server of aiohttp's.

    ``entrypoints.http.server.listener`` serves it with timeouts for slow clients, a limit of
    connections, graceful shutdown, and error responses to HTTP that cannot be parsed.

    Args:
        open_gateway: opens the gateway to the rooms, at the application's start, until its end.
        open_authenticator: the same for the source of identity.
        make_access: makes what all use cases share of the gateway.
        open_rate_limiter: opens what limits each tenant's requests; without it nothing does.
        failure_limiter: limits each address's failed authentications, if they are limited.
        limits: of sizes, numbers and times.
        trusted_proxies: whose headers tell the client's address.
        allowed_origins: of pages whose programs may send requests and read responses, such as
            ``https://app.example.com``; compared as they are.
        begin_trace: lets the current task belong to a request's trace, and returns its id.
        observers: called once for every request, after its response.
        metrics: handles ``GET /metrics``; without one there is no such path.
        unready: says why readiness fails, empty if it does not; by default it does from the
            beginning of the graceful shutdown on.
    """
    lifecycle = RequestLifecycle(
        request_timeout_s=limits.request_timeout_s,
        trusted_proxies=trusted_proxies,
        begin_trace=begin_trace,
        observers=observers,
    )
    mute = authenticated(mute_track if open_rate_limiter is None else limit_rate(mute_track))
    if failure_limiter is not None:
        mute = limit_failures(mute, failure_limiter)
    app = _without_routes(
        limits,
        lifecycle,
        exempt={live} if metrics is None else {live, metrics},
        keys={mute: key_of},
        before_admission=[answer_preflights(allowed_origins)] if allowed_origins else [],
    )
    if allowed_origins:
        app.on_response_prepare.append(share_responses(allowed_origins))
    app[UNREADY] = unready or partial(_shutting_down, app[TRAFFIC])
    app.cleanup_ctx.append(_adapters(open_gateway, open_authenticator, make_access))
    if open_rate_limiter is not None:
        app.cleanup_ctx.append(_rate_limiter(open_rate_limiter))
    gets: dict[str, Handler] = {"/": live, "/livez": live, "/readyz": ready}
    if metrics is not None:
        gets[METRICS_PATH] = metrics
    for path, handler in gets.items():
        app.router.add_get(path, handler, expect_handler=defer_continue)
    app.router.add_post("/livekit/participant/mute", mute, expect_handler=defer_continue)
    return app


def _adapters(
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    make_access: Callable[[RoomGateway], RoomAccess],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def open_adapters(app: web.Application) -> AsyncIterator[None]:
        async with open_authenticator() as authenticator, open_gateway() as gateway:
            app[AUTHENTICATOR] = authenticator
            app[ROOM_ACCESS] = access = make_access(gateway)
            app[MUTE_TRACK] = MuteTrack(access=access)
            yield

    return open_adapters


def _rate_limiter(
    open_: Callable[[], AbstractAsyncContextManager[RateLimiter]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def open_limiter(app: web.Application) -> AsyncIterator[None]:
        async with open_() as limiter:
            app[RATE_LIMITER] = limiter
            yield

    return open_limiter


def _shutting_down(traffic: Traffic) -> str:
    return "the service is shutting down" if traffic.shutting_down else ""


def create_metrics_app(metrics: Handler) -> web.Application:
    """Make an application that serves metrics alone, to be served as that of ``create_app`` is.

    Its limits keep clients of this port from using up the descriptors of the service.
    """
    lifecycle = RequestLifecycle(request_timeout_s=_METRICS_LIMITS.request_timeout_s, observers=())
    app = _without_routes(_METRICS_LIMITS, lifecycle, exempt=(), keys={})
    app.router.add_get(METRICS_PATH, metrics, expect_handler=defer_continue)
    return app


def _without_routes(
    limits: Limits,
    lifecycle: RequestLifecycle,
    *,
    exempt: Collection[Handler],
    keys: Mapping[Handler, Callable[[web.Request], Hashable]],
    before_admission: Sequence[Middleware] = (),
) -> web.Application:
    traffic = Traffic(
        max_in_flight=limits.max_in_flight,
        max_in_flight_per_key=limits.max_in_flight_per_tenant,
    )
    admission = limit_in_flight(traffic, body_grace_s=limits.body_grace_s, exempt=exempt, keys=keys)
    app = web.Application(
        middlewares=[
            lifecycle.middleware,
            reject_malformed_http,
            *before_admission,
            admission,
        ]
    )
    app[LIMITS], app[TRAFFIC], app[REQUEST_HOOKS] = limits, traffic, lifecycle
    return app
