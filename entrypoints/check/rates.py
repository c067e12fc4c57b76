"""The rate limits, and whether the Redis that counts can be used."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from adapters.rates.unknown import UnknownRates
from domain.rate import Rate
from entrypoints.check.finding import Finding, Verdict
from entrypoints.settings.settings import Settings

_REMEDY = (
    "Check RATE_LIMIT_STORAGE_URL, and Redis; docs/log.md explains the reason. The service starts"
    " all the same, and lets all requests pass."
)


async def check_rates(settings: Settings) -> AsyncIterator[Finding]:
    """Check each rate that is limited."""
    rates, failures = settings.rates, settings.auth.failure_rate
    if rates.per_tenant:
        place = "in Redis" if rates.storage_url else "in each process on its own"
        text = f"{described(rates.per_tenant)} for each tenant, counted {place}"
        yield Finding("rate limit", Verdict.OK, text)
        if rates.storage_url:
            yield await _check_redis(rates.storage_url, rates.per_tenant)
    if failures:
        text = f"{described(failures)} for each address, counted in each process on its own"
        yield Finding("failed authentications", Verdict.OK, text)


def described(rate: Rate) -> str:
    """Write a rate for a person."""
    return f"{rate.quota} within {rate.window_s} s"


async def _check_redis(url: str, rate: Rate) -> Finding:
    from adapters.rates.shared import open_shared  # noqa: PLC0415 - an extra

    async with open_shared(url=url, rate=rate, unknown=UnknownRates(), warm_up=False) as limiter:
        reason = await limiter.verify()
    if reason:
        return Finding("redis", Verdict.FAILED, reason, _REMEDY)
    place = urlsplit(url)
    return Finding("redis", Verdict.OK, f"{place.hostname}:{place.port or 6379} answers")
