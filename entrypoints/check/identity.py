"""The sources of identity: which there are, and whether each of them can be used."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from uuid import uuid4

from attrs import field, frozen
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import HttpClientError
from adapters.identity.api_secrets import ApiSecrets
from adapters.identity.delegated import open_delegated
from adapters.identity.key_server import fetch_key_set
from adapters.identity.public_keys import PublicKeys
from adapters.identity.upstream import InvalidResponseError, failure_reason
from application.ports.authenticator import (
    AuthenticatorError,
    CredentialRefusedError,
    PresentedRequest,
)
from entrypoints.check.finding import Finding, Verdict
from entrypoints.settings.auth import AuthServiceSettings, AuthSettings

_KEYS = "key set"
_SERVICE = "authentication service"
_FETCH = "Check AUTH_JWKS_URL, and the key server; docs/log.md explains the reason."
_PUBLISH = "Have the issuer publish a key for RS256, PS256, ES256 or EdDSA."
_ANSWER = "Check AUTH_SERVICE_URL, and the service; docs/log.md explains the reason."
_REFUSE = "Have the service answer 401 to tokens that it does not know."


async def check_sources(auth: AuthSettings) -> AsyncIterator[Finding]:
    """Check each source of identity that is configured."""
    if auth.api_secrets.tenants:
        yield Finding("api secrets", Verdict.OK, counted(auth.api_secrets))
    if auth.tokens and auth.tokens.jwks_url:
        yield await _check_key_server(auth.tokens.jwks_url, auth.timeout_s)
    elif auth.tokens:
        yield _found(auth.tokens.public_keys)
    if auth.service:
        yield await _check_service(auth.service, auth)


def counted(secrets: ApiSecrets) -> str:
    """Say how many API secrets there are, of how many tenants."""
    tenants = len({*secrets.tenants.values()})
    return f"{_number(len(secrets.tenants), 'secret')} of {_number(tenants, 'tenant')}"


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _found(keys: PublicKeys) -> Finding:
    left_out = f"; not used: {keys.left_out}" if keys.left_out else ""
    if not keys:
        return Finding(_KEYS, Verdict.FAILED, f"no usable key{left_out}", _PUBLISH)
    return Finding(_KEYS, Verdict.OK, f"used: {keys.used}{left_out}")


async def _check_key_server(url: str, timeout_s: float) -> Finding:
    async with HttpClient(url, max_connections=1) as client:
        try:
            return _found(await fetch_key_set(client, deadline=_in(timeout_s)))
        except (HttpClientError, InvalidResponseError) as error:
            return Finding(_KEYS, Verdict.FAILED, failure_reason(error), _FETCH)


async def _check_service(service: AuthServiceSettings, auth: AuthSettings) -> Finding:
    """Present a token that no service can know; its refusal is what should come."""
    async with open_delegated(
        url=service.url,
        signing_key=lambda: service.signing_key,
        timeout_s=auth.timeout_s,
        max_connections=1,
        allow_no_id=auth.allow_no_id,
    ) as authenticator:
        try:
            await authenticator.authenticate(_Invented(deadline=_in(auth.timeout_s)))
        except CredentialRefusedError:
            text = "refuses an invented token; whether it accepts our signature cannot be told"
            return Finding(_SERVICE, Verdict.OK, text)
        except AuthenticatorError as error:
            reason = error.reason.removeprefix(f"{_SERVICE}: ")
            return Finding(_SERVICE, Verdict.FAILED, reason, _ANSWER)
    return Finding(_SERVICE, Verdict.FAILED, "accepts an invented token", _REFUSE)


def _in(timeout_s: float) -> float:
    return asyncio.get_running_loop().time() + timeout_s


@frozen(kw_only=True)
class _Invented(PresentedRequest):
    """A request with a token that nobody has issued."""

    deadline: float
    token: str = field(factory=lambda: f"livekit-mute-check-{uuid4()}", repr=False)
    method: str = "POST"
    path: str = "/livekit/participant/mute"
    headers: Mapping[str, str] = field(factory=dict)

    @override
    async def body(self) -> Mapping[str, object]:
        return {}
