"""What the service tells of itself at its start: the check in short, in the log."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from application.ports.room_gateway import RoomGatewayError
from application.room_access import RoomAccess
from entrypoints.check.identity import counted
from entrypoints.check.rates import described
from entrypoints.settings.auth import AuthSettings
from entrypoints.settings.settings import Settings
from entrypoints.version import VERSION


@asynccontextmanager
async def announcing(
    log: FilteringBoundLogger, settings: Settings, access: RoomAccess
) -> AsyncIterator[None]:
    """Log what the service runs with and, as soon as it is known, whether LiveKit can be used."""
    announce(log, settings)
    async with announcing_livekit(log, settings, access):
        yield


def announce(log: FilteringBoundLogger, settings: Settings) -> None:
    """Log what the service runs with."""
    log.info(
        "configuration",
        version=VERSION,
        livekit=settings.livekit.url if _calls_livekit(settings) else "not called",
        sources=", ".join(_sources(settings.auth)) or "none, authentication is off",
        limits=_limits(settings),
        audit=settings.audit.log,
        metrics="off" if settings.metrics.port is None else f"port {settings.metrics.port}",
    )


@asynccontextmanager
async def announcing_livekit(
    log: FilteringBoundLogger, settings: Settings, access: RoomAccess
) -> AsyncIterator[None]:
    """Log, as soon as it is known, whether LiveKit can be used.

    Nothing waits for LiveKit; the block's end gives up on it.
    """
    if not _calls_livekit(settings):
        yield
        return
    task = asyncio.create_task(_log_verdict(log, access))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})  # or else asyncio logs that it was destroyed


def _calls_livekit(settings: Settings) -> bool:
    return settings.gateway == "livekit" and not settings.livekit.missing


async def _log_verdict(log: FilteringBoundLogger, access: RoomAccess) -> None:
    try:
        await access.verify()
    except RoomGatewayError as error:
        log.warning("LiveKit cannot be used yet", reason=error.reason)
    else:
        log.info("LiveKit can be used")


def _sources(auth: AuthSettings) -> Iterator[str]:
    if not auth.required:
        return
    if auth.api_secrets.tenants:
        yield f"api-secrets ({counted(auth.api_secrets)})"
    if auth.tokens:
        url = auth.tokens.jwks_url
        keys = f"of {_without_query(url)}" if url else auth.tokens.public_keys.used
        yield f"signed-tokens (keys {keys})"
    if auth.service:
        yield f"authentication-service ({_without_query(auth.service.url)})"


def _without_query(url: str) -> str:
    """Leave out the part of a URL that may hold a secret."""
    return url.partition("?")[0]


def _limits(settings: Settings) -> str:
    limits, rate = settings.limits, settings.rates.per_tenant
    text = (
        f"{limits.max_in_flight} requests in flight, {limits.max_connections} connections,"
        f" {limits.request_timeout_s:g} s a request, {settings.livekit.timeout_s:g} s for LiveKit"
    )
    return f"{text}, {described(rate)} for each tenant" if rate else text
