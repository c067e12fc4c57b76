"""Sources of identity whose checks are reported."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from attrs import field, frozen
from typing_extensions import override

from adapters.http_client.telemetry import Outcome, Telemetry
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
    PresentedRequest,
)
from domain.caller import Caller


@frozen(kw_only=True)
class ReportedAuthenticator(Authenticator):
    """Asks a source of identity, and reports each check under the source's name."""

    name: str
    source: Authenticator
    telemetry: Telemetry = field(repr=False)

    @override
    async def authenticate(self, request: PresentedRequest) -> Caller:
        report = self.telemetry.begin(self.name)
        try:
            caller = await self.source.authenticate(request)
        except BaseException as error:
            report.end(_outcome_of(error))
            raise
        report.end(Outcome.OK)
        return caller

    @override
    async def verify_ready(self) -> None:
        await self.source.verify_ready()


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
async def open_reported(
    name: str, source: AbstractAsyncContextManager[Authenticator], telemetry: Telemetry
) -> AsyncIterator[ReportedAuthenticator]:
    """Open a source of identity, and report its checks for as long as the block runs."""
    async with source as opened:
        yield ReportedAuthenticator(name=name, source=opened, telemetry=telemetry)
