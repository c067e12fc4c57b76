"""Asking an authentication service of one of these tests."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from adapters.identity.delegated import DelegatedAuthenticator, open_delegated
from adapters.identity.signing_key import SigningKey
from application.ports.authenticator import Authenticator, AuthenticatorError
from tests.adapters.identity.answers import Verdict
from tests.adapters.identity.authentication_service import usual_keys
from tests.presented import Presented, showing


def asking(
    url: str,
    *,
    signing_key: Callable[[], SigningKey] = lambda: usual_keys().signing,
    timeout_s: float = 20.0,
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


async def judge(authenticator: Authenticator, request: Presented | None = None) -> Verdict:
    """Have a token judged; an error says nothing that the service said."""
    try:
        return await authenticator.authenticate(showing("s3cret-token", request))
    except AuthenticatorError as error:
        failure = error
    assert "s3cret" not in f"{failure} {failure.reason}"
    assert failure.__cause__ is None
    return type(failure)
