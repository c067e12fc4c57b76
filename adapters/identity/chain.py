"""Several sources of identity, one after another."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import (
    Authenticator,
    CredentialUnknownError,
    PresentCredential,
)
from domain.caller import Caller


@frozen
class ChainAuthenticator(Authenticator):
    """Asks sources in order; the first that knows the credential, for good or bad, decides.

    One that cannot tell ends the search: behind it nobody knows whose credential it is.
    """

    sources: Sequence[Authenticator]

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        credential = present()
        *first, last = self.sources
        for source in first:
            with suppress(CredentialUnknownError):
                return await source.authenticate(lambda: credential)
        return await last.authenticate(lambda: credential)


@asynccontextmanager
async def open_chain(
    sources: Iterable[AbstractAsyncContextManager[Authenticator]],
) -> AsyncIterator[ChainAuthenticator]:
    """Open sources of identity, at least one, for as long as the block runs."""
    async with AsyncExitStack() as stack:
        yield ChainAuthenticator([await stack.enter_async_context(source) for source in sources])
