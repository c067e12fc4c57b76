"""Authentication: a driving-side interface that entrypoints call before they run a use case.

No use case depends on it. It describes an incoming request, so that sources of identity need not
know which entrypoint received it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

from domain.caller import Caller


@frozen(kw_only=True)
class Identity:
    """Who is calling, and how that is known; all but the caller is for the operator alone.

    Attributes:
        source: the source of identity that knows the caller, such as ``api-secrets``.
        credential: which of the caller's credentials it was, by a name that tells nothing of the
            credential itself; empty if the source does not know.
    """

    caller: Caller
    source: str
    credential: str = ""


class AuthenticatorError(Exception):
    """The caller could not be identified.

    ``reason`` is for the operator's log alone; it quotes nothing that a caller or server sent.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CredentialRefusedError(AuthenticatorError):
    """The token is invalid, or is valid no longer.

    Attributes:
        source: the one that the token belongs to, as in an ``Identity``; empty if none is known.
        credential: which credential it is, as in an ``Identity``.
    """

    def __init__(self, *, reason: str, source: str = "", credential: str = "") -> None:
        super().__init__("the token is not valid", reason=reason)
        self.source = source
        self.credential = credential


class CredentialUnknownError(CredentialRefusedError):
    """The token does not belong to this source; another source may know it."""


class AuthenticatorUnavailableError(AuthenticatorError):
    """The source of identity could not be reached in time; the token may be good.

    Attributes:
        source: its name, as in an ``Identity``; empty where it is not told.
    """

    def __init__(self, *, reason: str, source: str = "") -> None:
        super().__init__("the source of identity is unavailable", reason=reason)
        self.source = source


class AuthenticatorUnusableError(AuthenticatorError):
    """The source of identity returned an invalid response; never means an anonymous caller."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the source of identity gave an unusable answer", reason=reason)


class PresentedRequest(Protocol):
    """The request to authenticate. Its token stays out of its repr."""

    @property
    @abstractmethod
    def token(self) -> str:
        """The token, read and checked on first access.

        Raises:
            Exception: the entrypoint's own, if there is no well-formed token; let it propagate.
        """

    @property
    @abstractmethod
    def method(self) -> str:
        """The method, such as ``POST``."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The path, without the query."""

    @property
    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Header fields by name in lower case; repeated fields are joined with a comma."""

    @abstractmethod
    async def body(self) -> Mapping[str, object]:
        """Read the JSON object in the body; empty if the body is not a valid one.

        Raises:
            Exception: the entrypoint's own, if the body cannot be read; let it propagate.
        """

    @property
    @abstractmethod
    def deadline(self) -> float:
        """When authentication has to end, in the event loop's time."""


class Authenticator(Protocol):
    """A source of identity."""

    @abstractmethod
    async def authenticate(self, request: PresentedRequest) -> Identity:
        """Identify the caller.

        A source that needs no token does not access ``request.token``.

        Raises:
            CredentialUnknownError: the token does not belong to this source.
            CredentialRefusedError: the token belongs to this source, and is invalid.
            AuthenticatorUnavailableError: the source did not answer in time; retrying is safe.
            AuthenticatorUnusableError: the source returned an invalid response.
            Exception: whatever ``request`` raises, unchanged.
        """

    @abstractmethod
    async def verify_ready(self) -> None:
        """Check that the source can begin to identify callers.

        Raises:
            AuthenticatorUnavailableError: it has to fetch something first, and has not yet.
        """
