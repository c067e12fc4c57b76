"""What the service counts of itself, and what it reads elsewhere when it is asked."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from aiohttp import web
from attrs import define, evolve, field

from adapters.http_client.telemetry import SERVERS, Telemetry
from adapters.rates.unknown import UnknownRates
from entrypoints.http.api.context import RequestContext
from entrypoints.http.limits import Limits
from entrypoints.http.server.traffic import Traffic
from entrypoints.metrics.calls import TOGETHER, CountedCalls
from entrypoints.metrics.histogram import Histogram

_MUTE = "/livekit/participant/mute"
PATHS = (_MUTE, "/", "/livez", "/readyz", "/metrics")
OTHER = "other"
_LABELS: Mapping[str, str] = {path: path for path in PATHS}
_IDENTITY = "identity"
_OF_EACH_REQUEST = ("livekit", _IDENTITY)
_ROOMS = (1.0, 2.0, 4.0, 8.0, 16.0)

_requests = partial(
    Histogram,
    name="livekit_mute_request_seconds",
    help="Seconds from a request's arrival to its response.",
    labels=("path", "code"),
    initial=[(_MUTE, "OK"), (_MUTE, "INTERNAL_ERROR")],
)
_calls = partial(
    Histogram,
    name="livekit_mute_upstream_call_seconds",
    help="Seconds of calls to other servers, each attempt on its own.",
    labels=("server", "method", "outcome"),
)
_checks = partial(
    Histogram,
    name="livekit_mute_identity_check_seconds",
    help="Seconds in which a source of identity decides about a token.",
    labels=("source", "outcome"),
)
_rooms = partial(
    Histogram,
    name="livekit_mute_rooms_per_read",
    help="Rooms that one ListRooms call reads.",
    bounds=_ROOMS,
)


class LogStream(Protocol):
    """Whoever writes the log; ``waited_s`` is how long that took so far."""

    waited_s: float


class AuditTrail(Protocol):
    """Whoever writes the audit trail; ``written`` and ``lost`` are numbers of events."""

    written: int
    lost: int


@define(kw_only=True, eq=False)
class Metrics:
    """Numbers of this process; ``entrypoints.metrics.families`` gives them their names.

    Attributes:
        limits: the server's.
        log: the stream of the log.
        traffic: the server's, once there is one.
        audit: the audit trail, if there is one.
        rates: what counts the requests whose rate is not known, if rates are shared.
        requests: seconds of requests, by path and code.
        calls: seconds of calls to other servers, by server, method and outcome.
        checks: seconds of checks of who is calling, by source and outcome.
        rooms: how many rooms are read by each call.
        servers: what else is counted of each server's calls.
        reload_is_ok: whether the last reload of the settings succeeded.
        loaded_s: when the settings were last loaded, in seconds since 1970.
    """

    limits: Limits
    log: LogStream
    traffic: Traffic | None = None
    audit: AuditTrail | None = None
    rates: UnknownRates | None = None
    requests: Histogram = field(init=False, factory=_requests)
    calls: Histogram = field(init=False, factory=_calls)
    checks: Histogram = field(init=False, factory=_checks)
    rooms: Histogram = field(init=False, factory=_rooms)
    servers: Mapping[str, CountedCalls] = field(init=False)
    reload_is_ok: bool = field(init=False, default=True)
    loaded_s: float = field(init=False, factory=time.time)
    _identity: CountedCalls = field(init=False)
    _answered: list[tuple[tuple[str, str], float]] = field(init=False, factory=list)

    @servers.default
    def _make_servers(self) -> Mapping[str, CountedCalls]:
        return {
            server: CountedCalls(seconds=self.calls, rooms=self.rooms, labels=(server,))
            for server in SERVERS
            if server != _IDENTITY
        }

    @_identity.default
    def _make_identity(self) -> CountedCalls:
        return CountedCalls(seconds=self.checks, rooms=self.rooms)

    def listen(self, server: str, telemetry: Telemetry) -> Telemetry:
        """Return a telemetry of a server's calls that has them counted, by this alone.

        Calls that every request makes are only noted: ``observe_request`` has them counted.
        """
        counted = self._identity if server == _IDENTITY else self.servers[server]
        ended = counted.ended.append if server in _OF_EACH_REQUEST else counted.note
        return evolve(telemetry, ended=ended, connections=counted.note_connections)

    def observe_request(self, _: web.BaseRequest, context: RequestContext) -> None:
        """Note a request by its route, which a 405 and a preflight have not; an observer.

        It is counted, with the calls that requests have led to, once there are 64.
        """
        path = _LABELS.get(context.route, OTHER)
        self._answered.append(((path, context.code), context.elapsed_s))
        if len(self._answered) >= TOGETHER:
            self.count()

    def count(self) -> None:
        """Count what has been noted."""
        self.requests.add(self._answered)
        self._answered.clear()
        for counted in (*self.servers.values(), self._identity):
            counted.count()

    def reloaded(self, *, ok: bool) -> None:
        """Note that the settings have been loaded again, or could not be."""
        self.reload_is_ok = ok
        if ok:
            self.loaded_s = time.time()
