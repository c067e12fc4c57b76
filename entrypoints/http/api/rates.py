"""Rate limits: of each tenant's requests, and of each address's failed authentications.

Without such a limit nothing of this module runs.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

from application.ports.authenticator import CredentialRefusedError
from application.ports.rate_limiter import FailureLimiter, RateLimiter
from domain.caller import IdentifiedCaller
from domain.rate import Rate
from entrypoints.http.api.authentication import AuthenticatedRequest, Operation
from entrypoints.http.api.context import CONTEXT
from entrypoints.http.api.errors import (
    MalformedCredentialError,
    MissingCredentialError,
    RateLimitedError,
)

RATE_LIMITER = web.AppKey("rate_limiter", RateLimiter)

_FAILED = (CredentialRefusedError, MalformedCredentialError, MissingCredentialError)
_IPV6_PREFIX = 64  # what one customer has, at least
_TOO_MANY = "too many requests of this tenant (RATE_LIMIT_PER_TENANT); retry later"
_TOO_MANY_FAILURES = (
    "too many failed authentications from this address (AUTH_FAILURE_RATE_LIMIT); retry later"
)


def limit_rate(operation: Operation) -> Operation:
    """Make an operation that counts the requests of each tenant; callers without an id pass.

    It raises ``RateLimitedError``.
    """

    async def limited(call: AuthenticatedRequest) -> web.Response:
        if isinstance(call.caller, IdentifiedCaller):
            limiter = call.app[RATE_LIMITER]
            if wait_s := await limiter.hit(call.caller.id):
                raise RateLimitedError(_TOO_MANY, _fields("tenant", limiter.rate, wait_s))
        return await operation(call)

    return limited


def limit_failures(
    handler: Callable[[web.Request], Awaitable[web.Response]], failures: FailureLimiter
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a handler that counts each address's requests that are answered with 401.

    Beyond the rate it raises ``RateLimitedError`` without a look at the credential, so that its
    answer tells nothing of that.
    """

    async def limited(request: web.Request) -> web.Response:
        context = request[CONTEXT]
        source = _source(context.client)
        if wait_s := failures.wait_s(source):
            context.reached_authentication = True
            fields = _fields("failed-authentications", failures.rate, wait_s)
            raise RateLimitedError(_TOO_MANY_FAILURES, fields)
        try:
            return await handler(request)
        except _FAILED:
            if source:
                failures.add(source)
            raise

    return limited


def _source(client: str) -> str:
    """Return the address itself, or the network of an IPv6 address."""
    address = ip_address(client) if client else None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return client


def _fields(policy: str, rate: Rate, wait_s: float) -> Mapping[str, str]:
    """Return Retry-After, and the fields of draft-ietf-httpapi-ratelimit-headers-11."""
    seconds = math.ceil(wait_s)
    return {
        "Retry-After": str(seconds),
        "RateLimit": f'"{policy}";r=0;t={seconds}',
        "RateLimit-Policy": f'"{policy}";q={rate.quota};w={rate.window_s}',
    }
