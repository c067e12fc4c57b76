"""Who is calling: what any source of identity must do for us. Used by entrypoints only."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import field, frozen

from domain.caller import Caller


class AuthenticatorError(Exception):
    """A caller could not be identified; the reason, for the log alone, repeats nothing foreign."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CredentialRefusedError(AuthenticatorError):
    """The credential is not, or no longer, good."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the token is not valid", reason=reason)


class CredentialUnknownError(CredentialRefusedError):
    """The credential is none of this source's; another may know it."""


class AuthenticatorUnavailableError(AuthenticatorError):
    """The source of identity could not be reached in time; it has said nothing of the caller."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the source of identity is unavailable", reason=reason)


class AuthenticatorUnusableError(AuthenticatorError):
    """The source of identity said something that cannot be understood: never "nobody"."""

    def __init__(self, *, reason: str) -> None:
        super().__init__("the source of identity gave an unusable answer", reason=reason)


class PresentedRequest(Protocol):
    """The request that a credential came with, for sources that judge by more than the token."""

    @property
    @abstractmethod
    def method(self) -> str:
        """What is to be done, as ``POST``."""

    @property
    @abstractmethod
    def path(self) -> str:
        """To what, without a query."""

    @property
    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Its header fields, by name in lower case; one given more than once is joined."""

    @abstractmethod
    async def body(self) -> Mapping[str, object]:
        """Read its JSON object; empty where it is not valid.

        Raises:
            Exception: the entrypoint's own, where the body cannot be had; let it pass.
        """

    @property
    @abstractmethod
    def until(self) -> float:
        """When nobody waits to learn who calls any more, as a time of the event loop's."""


@frozen(kw_only=True)
class Credential:
    """What a caller shows to be known by; its token stays out of every repr."""

    token: str = field(repr=False)
    request: PresentedRequest = field(repr=False)


PresentCredential = Callable[[], Credential]
"""Reads what the caller shows; may raise, so a source that needs nothing never calls it."""


class Authenticator(Protocol):
    """A source of identity."""

    @abstractmethod
    async def authenticate(self, present: PresentCredential) -> Caller:
        """Tell who shows this credential.

        Raises:
            CredentialUnknownError: this source does not know it.
            CredentialRefusedError: this source knows it, and knows it to be no good.
            AuthenticatorUnavailableError: nothing was learnt in time; asking again is safe.
            AuthenticatorUnusableError: what was learnt makes no sense.
            Exception: whatever ``present`` raises, unchanged.
        """
