"""Callers identified by an authentication service, which is sent the details of each request.

What it is sent is signed, so that the service can tell who is calling it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import field, frozen
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import (
    CannotConnectError,
    ConnectionLostError,
    HttpClientError,
    NoAnswerInTimeError,
)
from adapters.http_client.messages import Head
from adapters.http_client.reports import report_call
from adapters.http_client.telemetry import NO_TELEMETRY, TRACE_HEADERS, Attempt, CallInfo, Telemetry
from adapters.identity.signing_key import SigningKey
from adapters.identity.upstream import InvalidResponseError, accept, failure_reason, judge
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    Identity,
    PresentedRequest,
)
from domain import strict_json
from domain.caller import (
    AnonymousCaller,
    Caller,
    IdentifiedCaller,
    InvalidTenantIdError,
    parse_tenant_id,
)

_SOURCE = "authentication-service"
_AUTHENTICATE: CallInfo = ("Authenticate", Attempt.FIRST, 0)
_MAX_RESPONSE_BYTES = 4 * 1024
_JWT_LIFETIME_S = 300
_SUBJECT = "sayna-auth"  # expected by authentication services that are already deployed
_NOT_FORWARDED = ("authorization", "cookie", "host", "x-real-ip")
_NOT_FORWARDED_PREFIXES = ("x-forwarded-", "x-sayna-")
_REFUSED_STATUSES = (401, 403)
_UNAVAILABLE = (CannotConnectError, NoAnswerInTimeError, ConnectionLostError)


@frozen(kw_only=True)
class DelegatedAuthenticator(Authenticator):
    """Asks the service for the caller's id; an invalid response is an error.

    Only with ``allow_no_id`` may a response without an id make the caller anonymous.
    ``clock`` returns the seconds since 1970.
    """

    client: HttpClient = field(repr=False)
    signing_key: Callable[[], SigningKey]
    timeout_s: float
    allow_no_id: bool
    clock: Callable[[], float] = time.time

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        signed = await self._sign(request)
        timeout_at = asyncio.get_running_loop().time() + self.timeout_s
        try:
            body = await self._post(signed, min(timeout_at, request.deadline))
            return Identity(caller=self._caller(body), source=_SOURCE)
        except _UNAVAILABLE as error:
            raise AuthenticatorUnavailableError(reason=_reason(error)) from None
        except (HttpClientError, InvalidResponseError) as error:
            raise AuthenticatorUnusableError(reason=_reason(error)) from None

    @override
    async def verify_ready(self) -> None:
        """Return at once: the service is not called without a request to authenticate."""

    async def _sign(self, request: PresentedRequest) -> str:
        token = request.token  # before the body: a malformed token is the first error
        body = await request.body()
        issued_at = int(self.clock())
        claims = {
            "sub": _SUBJECT,
            "iat": issued_at,
            "exp": issued_at + _JWT_LIFETIME_S,
            "auth_data": {
                "token": token,
                "request_body": body,
                "request_headers": _forwarded_headers(request),
                "request_path": request.path,
                "request_method": request.method,
            },
        }
        return self.signing_key().sign(json.dumps(claims).encode())

    async def _post(self, signed: str, deadline: float) -> bytes:
        headers = {"Content-Type": "application/jwt", **(TRACE_HEADERS.get() or {})}
        answer = await self.client.send(
            "POST",
            self.client.url.raw_path_qs,
            headers=headers,
            body=signed.encode(),
            accept=_accept,
            deadline=deadline,
            ended=report_call(self.client.telemetry, _AUTHENTICATE, headers, judge),
        )
        if not answer.body and not answer.head.declares_length:
            raise InvalidResponseError("incomplete response")  # cut off before its first byte
        return answer.body

    def _caller(self, body: bytes) -> Caller:
        if self.allow_no_id and not body:
            return AnonymousCaller()
        try:
            found = strict_json.loads_object(body).get("id")
        except strict_json.StrictJsonError as error:
            raise InvalidResponseError(f"response {error}") from None
        if self.allow_no_id and found is None:
            return AnonymousCaller()
        try:
            return IdentifiedCaller(id=parse_tenant_id(found))
        except InvalidTenantIdError:
            raise InvalidResponseError("response without a valid id") from None


def _reason(error: Exception) -> str:
    return f"authentication service: {failure_reason(error)}"


def _accept(head: Head) -> int:
    """Judge the head of a response, see ``Accept``."""
    if head.status in _REFUSED_STATUSES:
        raise CredentialRefusedError(reason="refused by the authentication service", source=_SOURCE)
    return accept(head, _MAX_RESPONSE_BYTES)


def _forwarded_headers(request: PresentedRequest) -> dict[str, str]:
    return {
        name: value
        for name, value in request.headers.items()
        if name not in _NOT_FORWARDED and not name.startswith(_NOT_FORWARDED_PREFIXES)
    }


@asynccontextmanager
async def open_delegated(  # noqa: PLR0913 - what there is to choose
    *,
    url: str,
    signing_key: Callable[[], SigningKey],
    timeout_s: float,
    max_connections: int,
    allow_no_id: bool,
    telemetry: Telemetry = NO_TELEMETRY,
) -> AsyncIterator[DelegatedAuthenticator]:
    """Open a client of an authentication service for as long as the block runs.

    Args:
        url: the service's URL; the settings have validated it.
        signing_key: returns the current key.
        timeout_s: seconds within which the service has to respond.
        max_connections: maximum number of connections to the service.
        allow_no_id: whether the service may accept callers without an id.
        telemetry: told of each call.
    """
    async with HttpClient(url, max_connections, telemetry) as client:
        yield DelegatedAuthenticator(
            client=client,
            signing_key=signing_key,
            timeout_s=timeout_s,
            allow_no_id=allow_no_id,
        )
