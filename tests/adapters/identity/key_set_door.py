"""A door that opens for tokens signed with the keys of a key-set server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import frozen

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import Pace, open_key_server
from adapters.identity.signed_tokens import SignedTokenAuthenticator, open_signed_tokens
from application.ports.authenticator import AuthenticatorUnavailableError, CredentialUnknownError
from tests.adapters.identity.key_set_server import (
    IssuerKey,
    KeySetServer,
)
from tests.presented import Presented, showing

Warnings = Callable[[], list[str]]

LET_IN, REFUSED, UNAVAILABLE = "let in", "refused", "unavailable"

CALM = Pace(renew_after_s=3600, retry_after_s=3600, keep_for_s=1e6, timeout_s=60)
"""Nothing happens a second time within a test."""
BRISK = Pace(renew_after_s=0.02, retry_after_s=0.1, keep_for_s=3600, timeout_s=60)
PERSISTENT = Pace(renew_after_s=3600, retry_after_s=0.1, keep_for_s=1e6, timeout_s=60)
IMPATIENT = Pace(renew_after_s=3600, retry_after_s=0.4, keep_for_s=1e6, timeout_s=0.2)

A, B = IssuerKey("a"), IssuerKey("b")
FORGED = IssuerKey("a").sign()
"""It names A, and another key has signed it."""


@frozen
class Door:
    authenticator: SignedTokenAuthenticator

    async def tells(self, token: str, left_s: float = 60.0) -> str:
        """Tell what becomes of a token."""
        try:
            await self.authenticator.authenticate(showing(token, Presented(seconds=left_s)))
        except CredentialUnknownError:
            return REFUSED
        except AuthenticatorUnavailableError:
            return UNAVAILABLE
        return LET_IN

    async def comes_to_tell(self, wanted: str, token: str) -> None:
        while await self.tells(token) != wanted:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.005)


@asynccontextmanager
async def door_to(server: KeySetServer, pace: Pace = CALM) -> AsyncIterator[Door]:
    """Check tokens, once the keys have been asked for; what waits in vain is given up at last."""
    opening = open_signed_tokens(open_key_server(server.url, pace=pace), rules=ClaimRules())
    async with asyncio.timeout(50), opening as authenticator:
        await asyncio.sleep(0)
        yield Door(authenticator)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - it comes over a socket
        await asyncio.sleep(0.005)
