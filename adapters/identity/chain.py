"""Several sources of identity, tried in order."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import (
    Authenticator,
    CredentialUnknownError,
    Identity,
    PresentedRequest,
)


@frozen
class ChainAuthenticator(Authenticator):
    """Tries sources in order; the first that knows the token, valid or not, decides.

    Any other failure ends the search: the token may belong to the source that failed.
    """

    sources: Sequence[Authenticator]

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        _ = request.token  # a missing or malformed token fails here, before any source is tried
        *first, last = self.sources
        for source in first:
            with suppress(CredentialUnknownError):
                return await source.authenticate(request)
        return await last.authenticate(request)

    @override
    async def verify_ready(self) -> None:
        for source in self.sources:
            await source.verify_ready()


@asynccontextmanager
async def open_chain(
    sources: Iterable[AbstractAsyncContextManager[Authenticator]],
) -> AsyncIterator[ChainAuthenticator]:
    """Open one or more sources of identity for as long as the block runs."""
    async with AsyncExitStack() as stack:
        yield ChainAuthenticator([await stack.enter_async_context(source) for source in sources])
