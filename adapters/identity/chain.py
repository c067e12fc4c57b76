"""Several sources of identity, tried in order."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from time import perf_counter

from attrs import frozen
from typing_extensions import override

from adapters.http_client.telemetry import NO_TELEMETRY, Attempt, Outcome, Telemetry
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
    Identity,
    PresentedRequest,
)

_FIRST, _OK = Attempt.FIRST, Outcome.OK  # found once: it takes a while in Python 3.11


@frozen
class ChainAuthenticator(Authenticator):
    """Tries sources in order; the first that knows the token, valid or not, decides.

    Any other failure ends the search: the token may belong to the source that failed.

    Attributes:
        sources: by their names, at least one, in the order in which they are asked.
        telemetry: told of each check, by the source's name.
    """

    sources: Mapping[str, Authenticator]
    telemetry: Telemetry = NO_TELEMETRY

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        _ = request.token  # a missing or malformed token fails here, before any source is tried
        *_, last = self.sources
        telemetry = self.telemetry
        for name, source in self.sources.items():
            info = (name, _FIRST, 0)
            end = telemetry.begin(info, {}) if telemetry.begin else None
            outcome, began = _OK, perf_counter()
            try:
                return await source.authenticate(request)
            except BaseException as error:
                outcome = _outcome_of(error)
                if name == last or not isinstance(error, CredentialUnknownError):
                    raise
            finally:
                if end:
                    end(outcome)
                if telemetry.ended:
                    telemetry.ended((info, outcome, began, perf_counter()))
        raise AssertionError  # the last one has returned or raised

    @override
    async def verify_ready(self) -> None:
        for source in self.sources.values():
            await source.verify_ready()


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
    sources: Mapping[str, AbstractAsyncContextManager[Authenticator]],
    *,
    telemetry: Telemetry = NO_TELEMETRY,
) -> AsyncIterator[ChainAuthenticator]:
    """Open one or more sources of identity for as long as the block runs.

    Args:
        sources: by their names, in the order in which they are asked.
        telemetry: told of each check, by the source's name.
    """
    async with AsyncExitStack() as stack:
        opened = {name: await stack.enter_async_context(source) for name, source in sources.items()}
        yield ChainAuthenticator(opened, telemetry)
