"""An issuer that is not up when the service starts."""

import asyncio

import pytest
from attrs import evolve

from adapters.identity.key_server import RefreshPolicy
from application.ports.authenticator import AuthenticatorUnavailableError
from tests.adapters.identity.cases.key_set_server import (
    FAILING,
    IssuerKey,
    KeySetServer,
    as_it_is,
)
from tests.adapters.identity.cases.token_checker import (
    ACCEPTED,
    POLICY,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    TokenChecker,
    Warnings,
    open_token_checker,
    wait_for_count,
    wait_until,
)
from tests.support.movable_clock import advance_clock

pytestmark = pytest.mark.robustness("key sets")

_, AN_ERROR = FAILING["an error"]
ENCRYPTION = IssuerKey("c", more={"use": "enc"})
QUICK = evolve(POLICY, first_retry_after_s=1000, timeout_s=100)
"""Retries after 1000, 2000, 3000, 3000, ... seconds."""


async def reason_not_ready(checker: TokenChecker) -> str | None:
    try:
        await checker.authenticator.verify_ready()
    except AuthenticatorUnavailableError as error:
        return error.reason
    return None


class TestRefreshPolicy:
    def test_retries_within_seconds_at_first(self) -> None:
        policy = RefreshPolicy()
        assert (policy.first_retry_after_s, policy.retry_after_s) == (1, 30)


class TestFirstKeySet:
    @pytest.mark.parametrize("no_keys", [[], [ENCRYPTION], None], ids=["none", "unusable", "error"])
    async def test_is_fetched_again_soon_at_first_and_then_as_usual(
        self, server: KeySetServer, no_keys: list[IssuerKey] | None, warnings: Warnings
    ) -> None:
        server.published = no_keys or []
        server.answer = AN_ERROR if no_keys is None else as_it_is
        ends = [("JWKS has no usable key", None), ("JWKS refresh failed", "status 500")]
        async with open_token_checker(server, QUICK):
            for number, wait_s in enumerate([1000, 2000, 3000, 3000, 3000], start=1):
                await wait_for_count(lambda: sum(each in ends for each in warnings()), number)
                advance_clock(wait_s - QUICK.timeout_s)
                await asyncio.sleep(0.02)  # an early fetch would happen now
                assert server.fetches == number
                advance_clock(QUICK.timeout_s)
            await wait_until(lambda: server.fetches == number + 1)

    async def test_ends_the_quick_retries(self, server: KeySetServer) -> None:
        """Afterwards the time between fetches is the usual one, also in an outage."""
        server.answer = AN_ERROR
        async with open_token_checker(server, QUICK) as checker:
            await wait_until(lambda: server.fetches == 1)
            await checker.wait_for(UNAVAILABLE, A.sign())
            server.answer = as_it_is
            advance_clock(QUICK.first_retry_after_s)
            await checker.wait_for(ACCEPTED, A.sign())
            server.answer = AN_ERROR
            advance_clock(QUICK.refresh_after_s)
            await checker.wait_for(UNAVAILABLE, B.sign())
            assert server.fetches == 3
            advance_clock(QUICK.retry_after_s - QUICK.timeout_s)
            await asyncio.sleep(0.05)  # an early retry would happen now
            assert server.fetches == 3
            advance_clock(QUICK.timeout_s)
            await wait_until(lambda: server.fetches == 4)

    async def test_is_not_fetched_sooner_because_of_tokens(self, server: KeySetServer) -> None:
        server.answer = AN_ERROR
        async with open_token_checker(server, QUICK) as checker:
            for _ in range(100):
                assert await checker.check(A.sign()) == UNAVAILABLE
        assert server.fetches == 1

    async def test_fails_a_waiting_request_at_the_first_failure(self, server: KeySetServer) -> None:
        """It does not wait for the next retry, which is due at once."""
        policy = evolve(QUICK, first_retry_after_s=1, timeout_s=600)
        server.released.clear()
        async with open_token_checker(server, policy) as checker:
            checking = asyncio.create_task(checker.check(A.sign()))
            await wait_until(lambda: server.fetches == 1)
            advance_clock(policy.timeout_s)
            assert await checking == UNAVAILABLE

    async def test_is_awaited_until_the_deadline_of_a_request(self, server: KeySetServer) -> None:
        server.released.clear()
        async with open_token_checker(server) as checker:
            checking = asyncio.create_task(checker.check(A.sign(), timeout_s=60))
            await wait_until(lambda: server.fetches == 1)
            advance_clock(60)
            assert await checking == UNAVAILABLE
            server.released.set()
            assert await checker.check(A.sign()) == ACCEPTED


class TestReadiness:
    async def test_comes_with_the_first_usable_key_and_stays(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        server.released.clear()
        async with open_token_checker(server, QUICK) as checker:
            assert await reason_not_ready(checker) == "key server: no usable key yet"
            server.answer = AN_ERROR
            server.released.set()
            await wait_for_count(lambda: len(warnings()), 1)
            assert await reason_not_ready(checker) == "key server: status 500"
            server.published, server.answer = [ENCRYPTION], as_it_is
            advance_clock(1000)
            await wait_for_count(lambda: len(warnings()), 2)
            assert await reason_not_ready(checker) == "key server: no usable key yet"
            server.published = [A]
            advance_clock(2000)
            await checker.wait_for(ACCEPTED, A.sign())
            assert await reason_not_ready(checker) is None
            server.published = []
            advance_clock(QUICK.refresh_after_s)
            await checker.wait_for(REFUSED, A.sign())
            await server.stop()
            advance_clock(QUICK.keep_for_s)
            await checker.wait_for(UNAVAILABLE, A.sign())
            assert await reason_not_ready(checker) is None
