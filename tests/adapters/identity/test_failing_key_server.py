import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.adapters.identity.cases.key_set_server import (
    FAILING,
    KeySetServer,
    as_it_is,
    key_set_server,
    send_slowly,
)
from tests.adapters.identity.cases.token_checker import (
    ACCEPTED,
    FORGED,
    POLICY,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    Warnings,
    open_token_checker,
    wait_for_count,
    wait_until,
)
from tests.support.movable_clock import advance_clock

pytestmark = pytest.mark.robustness("key sets")

_, AN_ERROR = FAILING["an error"]


def failed(reason: str) -> tuple[str, str]:
    return ("JWKS refresh failed", reason)


class TestFailedRefresh:
    async def test_keeps_the_cached_keys_and_adds_none(
        self, caplog: pytest.LogCaptureFixture, warnings: Warnings
    ) -> None:
        wrong = {}
        for name, (reason, failing) in FAILING.items():
            caplog.clear()
            async with key_set_server(A) as server, open_token_checker(server) as checker:
                first = await checker.check(A.sign())
                server.published, server.redirected, server.answer = [A, B], [B], failing
                then = [await checker.check(token) for token in (B.sign(), B.sign(), A.sign())]
                found = (first, then, await checker.check(FORGED), dict(server.requests))
            expected = (ACCEPTED, [UNAVAILABLE, UNAVAILABLE, ACCEPTED], REFUSED, {"/keys": 2})
            if found != expected or warnings() != [failed(reason)]:
                wrong[name] = (found, warnings())
        assert wrong == {}

    async def test_names_the_address_that_cannot_be_connected_to(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        await server.stop()
        address = server.url.removeprefix("http://").removesuffix("/keys")
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == UNAVAILABLE
        assert warnings() == [failed(f"cannot connect to {address}: connection refused")]

    async def test_is_described_by_its_class_when_it_is_unforeseen(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            no_threads = ThreadPoolExecutor()
            no_threads.shutdown()
            asyncio.get_running_loop().set_default_executor(no_threads)
            assert await checker.check(B.sign()) == UNAVAILABLE
            assert await checker.check(A.sign()) == ACCEPTED
        assert warnings() == [failed("request failed (RuntimeError)")]

    async def test_is_retried_until_the_server_recovers(
        self, caplog: pytest.LogCaptureFixture, warnings: Warnings
    ) -> None:
        wrong = {}
        for name, (reason, failing) in FAILING.items():
            caplog.clear()
            async with key_set_server(A) as server:
                server.answer = failing
                async with open_token_checker(server) as checker:
                    await wait_for_count(lambda: len(warnings()), 1)
                    advance_clock(POLICY.retry_after_s)
                    await wait_for_count(lambda: len(warnings()), 2)
                    outcome = await checker.check(A.sign())
                    server.answer = as_it_is
                    advance_clock(POLICY.retry_after_s)
                    await checker.wait_for(ACCEPTED, A.sign())
            events = [failed(reason), failed(reason), ("JWKS refresh succeeded again", None)]
            if outcome != UNAVAILABLE or warnings() != events:
                wrong[name] = (outcome, warnings())
        assert wrong == {}

    async def test_is_not_retried_before_it_is_time(self, server: KeySetServer) -> None:
        server.answer = AN_ERROR
        async with open_token_checker(server) as checker:
            assert {await checker.check(A.sign()) for _ in range(10)} == {UNAVAILABLE}
            advance_clock(POLICY.retry_after_s - POLICY.timeout_s)
            await asyncio.sleep(0.02)  # an early retry would happen now
            assert await checker.check(A.sign()) == UNAVAILABLE
            assert server.fetches == 1
            advance_clock(POLICY.timeout_s)
            await wait_until(lambda: server.fetches == 2)

    async def test_limits_forced_refreshes_right_after_recovery(self, server: KeySetServer) -> None:
        server.answer = AN_ERROR
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == UNAVAILABLE
            server.answer = as_it_is
            advance_clock(POLICY.retry_after_s)
            await wait_for_count(lambda: server.fetches, 2)  # a check would force this refresh
            await checker.wait_for(ACCEPTED, A.sign())
            assert await checker.check(B.sign()) == REFUSED
        assert server.fetches == 2

    async def test_is_retried_when_it_was_forced(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.answer = AN_ERROR
            assert await checker.check(B.sign()) == UNAVAILABLE
            server.answer = as_it_is
            advance_clock(POLICY.retry_after_s)
            await wait_until(lambda: server.fetches == 3)

    async def test_does_not_read_what_came_before_its_request(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, B]
            server.send_unrequested()
            await asyncio.sleep(0.05)
            assert await checker.check(B.sign()) == ACCEPTED
        assert warnings() == []

    async def test_is_retried_while_keys_are_cached(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
            assert await checker.check(B.sign()) == UNAVAILABLE
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [B]
            await server.start()
            advance_clock(POLICY.retry_after_s)
            await checker.wait_for(ACCEPTED, B.sign())
            assert await checker.check(A.sign()) == REFUSED


class TestSlowKeyServer:
    @pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "sends slowly"])
    async def test_is_awaited_until_the_timeout(
        self, server: KeySetServer, warnings: Warnings, hangs: bool
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published, server.answer = [A, B], send_slowly
            if hangs:
                server.released.clear()
            checking = asyncio.create_task(checker.check(B.sign()))
            await wait_until(lambda: server.fetches == 2)
            advance_clock(POLICY.timeout_s)
            assert await checking == UNAVAILABLE
            assert await checker.check(A.sign()) == ACCEPTED
            assert warnings() == [failed("no answer before the deadline")]
            await wait_until(lambda: server.cancelled > 0)
            server.answer = as_it_is
            server.released.set()
            advance_clock(POLICY.retry_after_s)
            await checker.wait_for(ACCEPTED, B.sign())

    async def test_is_awaited_until_the_deadline_of_the_request(self, server: KeySetServer) -> None:
        server.released.clear()
        async with open_token_checker(server) as checker:
            checking = asyncio.create_task(checker.check(A.sign(), timeout_s=60))
            await wait_until(lambda: server.fetches == 1)
            advance_clock(60)
            assert await checking == UNAVAILABLE
            server.released.set()
            assert await checker.check(A.sign()) == ACCEPTED
        assert server.fetches == 1

    async def test_does_not_delay_tokens_with_known_keys(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.released.clear()
            checking = asyncio.create_task(checker.check(B.sign()))
            await wait_until(lambda: server.fetches == 2)
            found = [await checker.check(token, timeout_s=0) for token in (A.sign(), FORGED)]
            assert found == [ACCEPTED, REFUSED]
            assert not checking.done()
            server.released.set()
            assert await checking == REFUSED
