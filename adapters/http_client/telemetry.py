"""What adapters report of their calls, for metrics and traces; by default nobody listens.

Nothing that is reported names a room, a caller or a token, so that all of it can be a label.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from typing_extensions import override

from adapters.http_client.errors import (
    GIVEN_UP,
    CannotConnectError,
    ConnectionLostError,
    HttpClientError,
    NoAnswerInTimeError,
)


class Attempt(StrEnum):
    """Why a call is made."""

    FIRST = "first"
    LOST = "lost"
    """The connection of the one before was lost."""
    SILENT = "silent"
    """The one before has no answer yet, on a connection that may be dead; both go on."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no token
    """The one before was refused for its token."""


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


class Report(Protocol):
    """A call that was begun."""

    @property
    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Headers to send with it."""

    @abstractmethod
    def end(self, outcome: Outcome) -> None:
        """Note that the call has ended; called once."""


class Telemetry(Protocol):
    """Whoever listens to the calls of one server; nothing here may raise."""

    @abstractmethod
    def begin(self, method: str, *, attempt: Attempt = Attempt.FIRST, rooms: int = 0) -> Report:
        """Note that a call begins, on behalf of the current task.

        Args:
            method: its name, from the adapter's closed list.
            attempt: why it is made; each attempt is a call of its own.
            rooms: how many rooms it reads, where it reads several at once.
        """

    @abstractmethod
    def current(self) -> object:
        """Return what the current task belongs to, for ``share``."""

    @abstractmethod
    def share(self, origins: Sequence[object]) -> None:
        """Note that the current task calls on behalf of several others from now on.

        Args:
            origins: what ``current`` returned in each of them.
        """

    @abstractmethod
    def connections(self, number: int) -> None:
        """Note how many connections are open or being opened."""


TelemetryOf = Callable[[str], Telemetry]
"""Gives the telemetry of a server by its name: see ``SERVERS``."""

SERVERS = ("livekit", "key-server", "authentication-service", "identity")
"""Whose calls are reported; ``identity`` are the checks, by source, of who is calling."""


class _NoTelemetry(Telemetry, Report):
    """Does nothing."""

    headers: Mapping[str, str] = {}

    @override
    def begin(self, method: str, *, attempt: Attempt = Attempt.FIRST, rooms: int = 0) -> Report:
        return self

    @override
    def end(self, outcome: Outcome) -> None:
        pass

    @override
    def current(self) -> object:
        return None

    @override
    def share(self, origins: Sequence[object]) -> None:
        pass

    @override
    def connections(self, number: int) -> None:
        pass


NO_TELEMETRY = _NoTelemetry()


def outcome_of(error: Exception) -> Outcome:
    """Return what an error of a call without a whole and usable answer stands for."""
    match error:
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
