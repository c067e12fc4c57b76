"""Signed tokens checked with the keys of a key server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import frozen

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import RefreshPolicy, open_key_server
from adapters.identity.signed_tokens import SignedTokenAuthenticator, open_signed_tokens
from application.ports.authenticator import AuthenticatorUnavailableError, CredentialUnknownError
from tests.adapters.identity.cases.key_set_server import IssuerKey, KeySetServer
from tests.support.presented_request import StaticRequest

Warnings = Callable[[], list[tuple[str, str | None]]]
"""Events logged as warnings or worse, each with its reason."""

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"

POLICY = RefreshPolicy(
    refresh_after_s=24_000,
    retry_after_s=3000,
    first_retry_after_s=3000,
    keep_for_s=360_000,
    timeout_s=600,
)
"""So long that nothing happens by itself: a test moves the clock."""

A, B = IssuerKey("a"), IssuerKey("b")
FORGED = IssuerKey("a").sign()
"""Names the key A, and is signed with another."""


@frozen
class TokenChecker:
    authenticator: SignedTokenAuthenticator

    async def check(self, token: str, timeout_s: float = 1e6) -> str:
        try:
            await self.authenticator.authenticate(StaticRequest(token=token, timeout_s=timeout_s))
        except CredentialUnknownError:
            return REFUSED
        except AuthenticatorUnavailableError:
            return UNAVAILABLE
        return ACCEPTED

    async def wait_for(self, outcome: str, token: str) -> None:
        while await self.check(token) != outcome:  # noqa: ASYNC110 - caused over a socket
            await asyncio.sleep(0.005)


@asynccontextmanager
async def open_token_checker(
    server: KeySetServer, policy: RefreshPolicy = POLICY
) -> AsyncIterator[TokenChecker]:
    """Check tokens, once the first fetch of the keys has begun."""
    keys = open_key_server(server.url, policy=policy)
    async with open_signed_tokens(keys, rules=ClaimRules()) as authenticator:
        await asyncio.sleep(0)
        yield TokenChecker(authenticator)


async def wait_for_count(count: Callable[[], int], wanted: int) -> None:
    await wait_until(lambda: count() >= wanted)


async def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - caused over a socket
        await asyncio.sleep(0.005)
