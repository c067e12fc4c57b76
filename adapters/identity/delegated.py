"""Callers known by an authentication service, which is told of each request and says whose it is.

The question is a signed token, so that the service knows that it is we who ask.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.signing_key import SigningKey
from adapters.identity.upstream import (
    UNREACHABLE,
    UpstreamError,
    describe,
    make_session,
    read_ok,
)
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    Credential,
    CredentialRefusedError,
    PresentCredential,
    PresentedRequest,
)
from domain import strict_json
from domain.caller import (
    Caller,
    IdentifiedCaller,
    InvalidTenantIdError,
    UnidentifiedCaller,
    tenant_id,
)

_MAX_ANSWER_BYTES = 4 * 1024
_QUESTION_LIFE_S = 300
_SUBJECT = "sayna-auth"  # what the services that deployments run already look for
_KEPT_BACK = ("authorization", "cookie", "host", "x-real-ip")
_KEPT_BACK_PREFIXES = ("x-forwarded-", "x-sayna-")
_REFUSALS = (401, 403)


@frozen(kw_only=True)
class DelegatedAuthenticator(Authenticator):
    """Lets the service decide; what it says is an id, a refusal, or an error, and never "nobody".

    Only with ``allow_no_id`` does an answer that says nothing let a caller in without an id.
    ``clock`` tells the seconds since 1970.
    """

    url: str = field(repr=False)
    signing_key: Callable[[], SigningKey]
    session: aiohttp.ClientSession
    timeout_s: float
    allow_no_id: bool
    clock: Callable[[], float] = time.time

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        credential = present()
        question = await self._question(credential)
        try:
            due = asyncio.get_running_loop().time() + self.timeout_s
            async with asyncio.timeout_at(min(due, credential.request.until)):
                return self._caller(await self._ask(question))
        except UNREACHABLE as error:
            raise AuthenticatorUnavailableError(reason=_reason(error)) from None
        except (UpstreamError, aiohttp.ClientError) as error:
            raise AuthenticatorUnusableError(reason=_reason(error)) from None

    async def _question(self, credential: Credential) -> str:
        request = credential.request
        body = await request.body()
        issued = int(self.clock())
        claims = {
            "sub": _SUBJECT,
            "iat": issued,
            "exp": issued + _QUESTION_LIFE_S,
            "auth_data": {
                "token": credential.token,
                "request_body": body,
                "request_headers": _shown_headers(request),
                "request_path": request.path,
                "request_method": request.method,
            },
        }
        return self.signing_key().sign(json.dumps(claims).encode())

    async def _ask(self, question: str) -> bytes:
        async with self.session.post(
            self.url,
            data=question,
            headers={"Content-Type": "application/jwt"},
            allow_redirects=False,
        ) as response:
            if response.status in _REFUSALS:
                raise CredentialRefusedError(reason="the authentication service refused it")
            answer = await read_ok(response, _MAX_ANSWER_BYTES)
            if not answer and not _is_said_to_be_empty(response):
                raise UpstreamError("broke off its answer")
            return answer

    def _caller(self, answer: bytes) -> Caller:
        if self.allow_no_id and not answer:
            return UnidentifiedCaller()
        try:
            found = strict_json.loads_object(answer).get("id")
        except strict_json.StrictJsonError as error:
            raise UpstreamError(f"gave an answer that {error}") from None
        if self.allow_no_id and found is None:
            return UnidentifiedCaller()
        try:
            return IdentifiedCaller(id=tenant_id(found))
        except InvalidTenantIdError:
            raise UpstreamError("gave an answer without a tenant's id") from None


def _reason(error: Exception) -> str:
    return f"the authentication service {describe(error)}"


def _is_said_to_be_empty(response: aiohttp.ClientResponse) -> bool:
    """Tell an empty answer from one that ended before it began."""
    codings = [coding.lower() for coding in response.headers.getall("Transfer-Encoding", [])]
    return codings == ["chunked"] or response.headers.get("Content-Length") == "0"


def _shown_headers(request: PresentedRequest) -> dict[str, str]:
    return {
        name: value
        for name, value in request.headers.items()
        if name not in _KEPT_BACK and not name.startswith(_KEPT_BACK_PREFIXES)
    }


@asynccontextmanager
async def open_delegated(
    *,
    url: str,
    signing_key: Callable[[], SigningKey],
    timeout_s: float,
    max_connections: int,
    allow_no_id: bool,
) -> AsyncIterator[DelegatedAuthenticator]:
    """Open the way to an authentication service for as long as the block runs.

    Args:
        url: where questions are sent; checked by whoever reads the settings.
        signing_key: gives the key of today.
        timeout_s: within how many seconds the service has to answer.
        max_connections: at most so many connections to it.
        allow_no_id: whether the service may let callers in without an id.
    """
    async with make_session(max_connections=max_connections) as session:
        yield DelegatedAuthenticator(
            url=url,
            signing_key=signing_key,
            session=session,
            timeout_s=timeout_s,
            allow_no_id=allow_no_id,
        )
