"""Callers known by a token that their issuer has signed, checked here under its public keys."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from attrs import frozen
from typing_extensions import override

from adapters.identity.claims import ClaimRules
from adapters.identity.jws import Jws, NotAJwsError, parse_jws
from adapters.identity.public_keys import PublicKeys
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    CredentialUnknownError,
    PresentCredential,
)
from domain.caller import Caller


class KeySource(Protocol):
    """Where an issuer's public keys are."""

    @abstractmethod
    async def has_signed(self, token: Jws) -> bool:
        """Tell whether a token is signed with one of the keys.

        Raises:
            AuthenticatorUnavailableError: the key may be a new one, and that cannot be learnt now.
        """


@frozen
class KeyFile(KeySource):
    """Keys that the operator has put into a file, as they stand now."""

    keys: Callable[[], PublicKeys]

    @override
    async def has_signed(self, token: Jws) -> bool:
        return self.keys().have_signed(token)


@frozen(kw_only=True)
class SignedTokenAuthenticator(Authenticator):
    """Knows every token signed with one of the keys, and refuses it where its claims are not right.

    ``clock`` tells the seconds since 1970.
    """

    keys: KeySource
    rules: ClaimRules
    clock: Callable[[], float] = time.time

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        credential = present()
        try:
            token = parse_jws(credential.token)
        except NotAJwsError as error:
            raise CredentialUnknownError(reason=f"not a signed token: {error}") from None
        try:
            async with asyncio.timeout_at(credential.request.until):
                is_theirs = await self.keys.has_signed(token)
        except TimeoutError:
            raise AuthenticatorUnavailableError(reason="the keys did not come in time") from None
        if not is_theirs:
            raise CredentialUnknownError(reason="signed with no key that is known")
        return self.rules.caller(token.payload, now=self.clock())


@asynccontextmanager
async def open_signed_tokens(
    keys: AbstractAsyncContextManager[KeySource], *, rules: ClaimRules
) -> AsyncIterator[SignedTokenAuthenticator]:
    """Open a source of keys, and check tokens with them for as long as the block runs."""
    async with keys as opened:
        yield SignedTokenAuthenticator(keys=opened, rules=rules)
