"""Several sources of identity, tried in order."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from attrs import frozen
from typing_extensions import override

from adapters.http_client.telemetry import NO_TELEMETRY, Outcome, Telemetry
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
    Identity,
    PresentedRequest,
)

_OK = Outcome.OK  # found once: it takes a while in Python 3.11


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


@frozen
class _Reported(Authenticator):
    """Reports each time that a source is asked."""

    _source: Authenticator
    _name: str
    _telemetry: Telemetry

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        report = self._telemetry.begin(self._name)
        try:
            identity = await self._source.authenticate(request)
        except BaseException as error:
            report.end(_outcome_of(error))
            raise
        report.end(_OK)
        return identity

    @override
    async def verify_ready(self) -> None:
        await self._source.verify_ready()


def _outcome_of(error: BaseException) -> Outcome:
    match error:
        case CredentialUnknownError():
            return Outcome.UNKNOWN
        case CredentialRefusedError():
            return Outcome.REFUSED
        case AuthenticatorUnavailableError():
            return Outcome.UNAVAILABLE
        case AuthenticatorUnusableError():
            return Outcome.UNUSABLE
        case _:  # cancelled, or an error of the request itself
            return Outcome.DROPPED


@asynccontextmanager
async def open_chain(
    sources: Iterable[AbstractAsyncContextManager[Authenticator]],
    *,
    names: Sequence[str] = (),
    telemetry: Telemetry = NO_TELEMETRY,
) -> AsyncIterator[ChainAuthenticator]:
    """Open one or more sources of identity for as long as the block runs.

    Args:
        sources: in the order in which they are asked.
        names: of the sources, for telemetry.
        telemetry: told of each check, by the source's name.
    """
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(source) for source in sources]
        if telemetry is not NO_TELEMETRY:
            named = zip(opened, names, strict=True)
            opened = [_Reported(source, name, telemetry) for source, name in named]
        yield ChainAuthenticator(opened)
