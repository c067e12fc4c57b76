"""Several sources of identity, tried in order."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from attrs import field, frozen
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


@frozen
class ChainAuthenticator(Authenticator):
    """Tries sources in order; the first that knows the token, valid or not, decides.

    Any other failure ends the search: the token may belong to the source that failed. Each source
    that is asked is reported under its name.
    """

    sources: Sequence[Authenticator]
    names: Sequence[str] = field(kw_only=True)
    telemetry: Telemetry = field(default=NO_TELEMETRY, repr=False, kw_only=True)

    @names.default
    def _no_names(self) -> Sequence[str]:
        return [""] * len(self.sources)

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        _ = request.token  # a missing or malformed token fails here, before any source is tried
        unknown: CredentialUnknownError | None = None
        for name, source in zip(self.names, self.sources, strict=True):
            report = self.telemetry.begin(name)
            try:
                caller = await source.authenticate(request)
            except CredentialUnknownError as error:
                report.end(Outcome.UNKNOWN)
                unknown = error
            except BaseException as error:
                report.end(_outcome_of(error))
                raise
            else:
                report.end(Outcome.OK)
                return caller
        raise unknown or CredentialUnknownError(reason="there is no source of identity")

    @override
    async def verify_ready(self) -> None:
        for source in self.sources:
            await source.verify_ready()


def _outcome_of(error: BaseException) -> Outcome:
    match error:
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
    names: Sequence[str] | None = None,
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
        named = {} if names is None else {"names": names}
        yield ChainAuthenticator(opened, **named, telemetry=telemetry)
