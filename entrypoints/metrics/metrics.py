"""What the service counts of itself, and what it reads elsewhere when it is asked."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from attrs import define, field

from adapters.http_client.telemetry import SERVERS, Telemetry
from entrypoints.http.limits import Limits
from entrypoints.http.server.traffic import Traffic
from entrypoints.metrics.calls import CountedCalls
from entrypoints.metrics.histogram import Histogram

_MUTE = "/livekit/participant/mute"
_IDENTITY = "identity"
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
    requests: Histogram = field(init=False, factory=_requests)
    calls: Histogram = field(init=False, factory=_calls)
    checks: Histogram = field(init=False, factory=_checks)
    rooms: Histogram = field(init=False, factory=_rooms)
    servers: Mapping[str, CountedCalls] = field(init=False)
    reload_is_ok: bool = field(init=False, default=True)
    loaded_s: float = field(init=False, factory=time.time)
    _identity: CountedCalls = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.servers = {
            server: CountedCalls(seconds=self.calls, rooms=self.rooms, labels=(server,))
            for server in SERVERS
            if server != _IDENTITY
        }
        self._identity = CountedCalls(seconds=self.checks, rooms=self.rooms)

    def telemetry(self, server: str) -> Telemetry:
        """Give what counts the calls of a server, see ``TelemetryOf``."""
        return self._identity if server == _IDENTITY else self.servers[server]

    def observe_request(self, path: str, code: str, seconds: float) -> None:
        """Count a request."""
        self.requests.observe((path, code), seconds)

    def reloaded(self, *, ok: bool) -> None:
        """Note that the settings have been loaded again, or could not be."""
        self.reload_is_ok = ok
        if ok:
            self.loaded_s = time.time()
