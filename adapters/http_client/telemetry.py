"""What adapters report of their calls, for metrics and traces; by default nobody listens.

Nothing that is reported names a room, a caller or a token, so that all of it can be a label.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import cast

from attrs import frozen

from adapters.http_client.errors import (
    GIVEN_UP,
    CannotConnectError,
    ConnectionLostError,
    HttpClientError,
    NoAnswerInTimeError,
)
from adapters.http_client.messages import Answer


class Attempt(StrEnum):
    """Why a call is made."""

    FIRST = "first"
    LOST = "lost"
    """The connection of the one before was lost."""
    SILENT = "silent"
    """The one before has no answer yet, on a connection that may be dead; both go on."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no token
    """The one before was refused for its token."""
    NOT_FOUND = "not_found"
    """What the one before is about was not found, which may be wrong for a moment."""


class Outcome(StrEnum):
    """What became of a call, or of a check of somebody's identity."""

    __hash__ = str.__hash__  # that of Enum is written in Python, and takes ten times as long

    OK = "ok"
    NOT_FOUND = "not_found"
    """What it is about does not exist."""
    UNKNOWN = "unknown"
    """The source of identity does not know the credential."""
    REFUSED = "refused"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no token
    """Refused for our token, not for what was asked."""
    UNAVAILABLE = "unavailable"
    """The server says that it cannot answer."""
    UNUSABLE = "unusable"
    """The answer cannot be understood or trusted."""
    CANNOT_CONNECT = "cannot_connect"
    TIMEOUT = "timeout"
    LOST = "lost"
    """The connection was lost before the answer."""
    DROPPED = "dropped"
    """Given up: another was faster, whoever asked is gone, or the request was no good."""


CallInfo = tuple[str, Attempt, int]
"""A call's method from the adapter's closed list, why it is made, and how many rooms it reads."""

EndedCall = tuple[CallInfo, Outcome, float, float]
"""A call that has ended: what became of it, and when it began and ended, in seconds of
``time.perf_counter``."""

End = Callable[[Outcome], object]
"""Notes that a call has ended; called once."""

Begin = Callable[[CallInfo, MutableMapping[str, str]], End]
"""Notes that a call begins on behalf of the current task; may add to the headers to send."""

TRACE_HEADERS: ContextVar[Mapping[str, str] | None] = ContextVar("trace_headers", default=None)
"""The trace that the current task belongs to, as headers that some servers are sent."""


def _share_headers(origins: Sequence[object]) -> None:
    """Pass on the trace of the only origin; none where there are several."""
    only = origins[0] if len(origins) == 1 else None
    TRACE_HEADERS.set(cast("Mapping[str, str] | None", only))


def _ignore(_: int) -> None:
    """Do nothing."""


@frozen(kw_only=True)
class Telemetry:
    """What is told of the calls of one server; nothing here may raise.

    Each attempt is a call of its own.

    Attributes:
        begin: makes spans; called before each call.
        ended: counts; gets each call, when it has ended.
        current: returns what the current task belongs to, for ``share``.
        share: notes that the current task calls on behalf of others from now on; gets what
            ``current`` returned in each of them.
        connections: gets the number of connections that are open or being opened.
    """

    begin: Begin | None = None
    ended: Callable[[EndedCall], object] | None = None
    current: Callable[[], object] = TRACE_HEADERS.get
    share: Callable[[Sequence[object]], object] = _share_headers
    connections: Callable[[int], object] = _ignore


TelemetryOf = Callable[[str], Telemetry]
"""Gives the telemetry of a server by its name: see ``SERVERS``."""

SERVERS = ("livekit", "key-server", "authentication-service", "identity")
"""Whose calls are reported; ``identity`` are the checks, by source, of who is calling."""

NO_TELEMETRY = Telemetry()


def no_telemetry(_: str) -> Telemetry:
    """Give a telemetry that does nothing, see ``TelemetryOf``."""
    return NO_TELEMETRY


def outcome_of(result: Answer | Exception) -> Outcome:
    """Return what became of a call without a whole and usable answer."""
    match result:
        case HttpClientError(reason=reason) if reason == GIVEN_UP:
            return Outcome.DROPPED
        case NoAnswerInTimeError():
            return Outcome.TIMEOUT
        case CannotConnectError():
            return Outcome.CANNOT_CONNECT
        case ConnectionLostError():
            return Outcome.LOST
        case _:
            return Outcome.UNUSABLE
