"""A client of an authentication service, with settings in which nothing happens by itself."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from adapters.identity.delegated import DelegatedAuthenticator, open_delegated
from adapters.identity.signing_key import SigningKey
from application.ports.authenticator import Authenticator, AuthenticatorError
from tests.adapters.identity.cases.authentication_service import usual_keys
from tests.adapters.identity.cases.service_responses import Outcome
from tests.support.presented_request import StaticRequest


def open_client(
    url: str,
    *,
    signing_key: Callable[[], SigningKey] = lambda: usual_keys().signing,
    timeout_s: float = 3600.0,
    max_connections: int = 10,
    allow_no_id: bool = False,
) -> AbstractAsyncContextManager[DelegatedAuthenticator]:
    return open_delegated(
        url=url,
        signing_key=signing_key,
        timeout_s=timeout_s,
        max_connections=max_connections,
        allow_no_id=allow_no_id,
    )


async def authenticate(
    authenticator: Authenticator, request: StaticRequest | None = None
) -> Outcome:
    """Return the caller, or the class of the error, which must not quote the service."""
    try:
        identity = await authenticator.authenticate(request or StaticRequest())
    except AuthenticatorError as error:
        failure = error
    else:
        assert (identity.source, identity.credential) == ("authentication-service", "")
        return identity.caller
    assert "s3cret" not in f"{failure} {failure.reason}"
    assert failure.__cause__ is None
    return type(failure)
