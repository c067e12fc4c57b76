"""Who is calling: what any source of identity must do for us. Used by entrypoints only."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

from attrs import field, frozen

from domain.caller import Caller


class AuthenticatorError(Exception):
    """A caller could not be identified."""


class CredentialRefusedError(AuthenticatorError):
    """No source of identity knows the credential."""

    def __init__(self) -> None:
        super().__init__("the token is not valid")


@frozen(kw_only=True)
class Credential:
    """What a caller shows to be known by; its token stays out of every repr."""

    token: str = field(repr=False)


PresentCredential = Callable[[], Credential]
"""Reads what the caller shows; may raise, so a source that needs nothing never calls it."""


class Authenticator(Protocol):
    """A source of identity."""

    @abstractmethod
    async def authenticate(self, present: PresentCredential) -> Caller:
        """Tell who shows this credential.

        Raises:
            CredentialRefusedError: nobody that we know.
            Exception: whatever ``present`` raises, unchanged.
        """
