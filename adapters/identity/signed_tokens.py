"""Callers identified by a signed token (JWT), verified with the issuer's public keys."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from attrs import frozen
from typing_extensions import override

from adapters.identity.claims import ClaimRules
from adapters.identity.jws import InvalidJwsError, Jws, parse_jws
from adapters.identity.public_keys import PublicKeys
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    CredentialRefusedError,
    CredentialUnknownError,
    Identity,
    PresentedRequest,
)

_SOURCE = "signed-tokens"


class KeySource(Protocol):
    """Where an issuer's public keys come from."""

    @abstractmethod
    async def verify(self, token: Jws) -> str:
        """Return the name of the key that verifies the token's signature, empty if none does.

        Raises:
            AuthenticatorUnavailableError: the token may be signed with a new key, and the keys
                cannot be refreshed now.
        """

    @abstractmethod
    async def verify_ready(self) -> None:
        """Check that there has been a usable key.

        Raises:
            AuthenticatorUnavailableError: there has been none yet.
        """


@frozen
class KeyFile(KeySource):
    """Keys from a file; ``keys`` returns the current ones."""

    keys: Callable[[], PublicKeys]

    @override
    async def verify(self, token: Jws) -> str:
        return self.keys().verify(token)

    @override
    async def verify_ready(self) -> None:
        """Return at once: the keys were read at the start."""


@frozen(kw_only=True)
class SignedTokenAuthenticator(Authenticator):
    """Knows every token that one of the keys verifies, and rejects it if its claims are invalid.

    ``clock`` returns the seconds since 1970.
    """

    keys: KeySource
    rules: ClaimRules
    clock: Callable[[], float] = time.time

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        try:
            token = parse_jws(request.token)
        except InvalidJwsError as error:
            raise CredentialUnknownError(reason=f"not a signed token: {error}") from None
        try:
            async with asyncio.timeout_at(request.deadline):
                key = await self.keys.verify(token)
        except TimeoutError:
            raise AuthenticatorUnavailableError(reason="timed out waiting for keys") from None
        if not key:
            raise CredentialUnknownError(reason="unknown signing key or bad signature")
        try:
            caller = self.rules.caller(token.payload, now=self.clock())
        except CredentialRefusedError as error:
            error.source, error.credential = _SOURCE, key
            raise
        return Identity(caller=caller, source=_SOURCE, credential=key)

    @override
    async def verify_ready(self) -> None:
        await self.keys.verify_ready()


@asynccontextmanager
async def open_signed_tokens(
    keys: AbstractAsyncContextManager[KeySource], *, rules: ClaimRules
) -> AsyncIterator[SignedTokenAuthenticator]:
    """Open a key source and verify tokens with it for as long as the block runs."""
    async with keys as opened:
        yield SignedTokenAuthenticator(keys=opened, rules=rules)
