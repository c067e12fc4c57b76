import asyncio

import pytest
from aiohttp import web

from tests.adapters.identity.cases.key_set_server import (
    IssuerKey,
    KeySetServer,
    as_it_is,
    renamed,
    rsa_key,
)
from tests.adapters.identity.cases.token_checker import (
    ACCEPTED,
    FORGED,
    POLICY,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    open_token_checker,
    wait_until,
)
from tests.support.movable_clock import advance_clock

pytestmark = pytest.mark.robustness("key sets")


class TestUnknownKeys:
    async def test_are_found_by_one_refresh_for_all_requests(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, B]
            found = await asyncio.gather(*(checker.check(B.sign()) for _ in range(1000)))
            assert found == 1000 * [ACCEPTED]
        assert server.fetches == 2

    async def test_cause_one_refresh_however_many_they_are(self, server: KeySetServer) -> None:
        async def hang_at_the_third(request: web.Request, text: bytes) -> web.StreamResponse:
            if server.fetches > 2:
                await asyncio.Future()  # so that refreshing for ever fails, and does not spin
            return await as_it_is(request, text)

        server.answer = hang_at_the_third
        tokens = [renamed(FORGED, f"kid-{number}") for number in range(10_000)]
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            assert {await checker.check(token) for token in tokens[:9000]} == {REFUSED}
            together = await asyncio.gather(*(checker.check(token) for token in tokens[9000:]))
            assert set(together) == {REFUSED}
        assert server.fetches == 2

    async def test_may_have_no_kid(self, server: KeySetServer) -> None:
        nameless = IssuerKey(None)
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, nameless]
            assert await checker.check(nameless.sign()) == ACCEPTED
        assert server.fetches == 2

    async def test_may_share_a_kid_with_a_known_key_of_another_algorithm(
        self, server: KeySetServer
    ) -> None:
        other = rsa_key("a")
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, other]
            assert await checker.check(other.sign()) == ACCEPTED

    async def test_are_unknown_by_their_kid_even_if_a_known_key_has_signed(
        self, server: KeySetServer
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            assert await checker.check(A.sign(kid="another")) == REFUSED
        assert server.fetches == 2

    async def test_are_fetched_again_if_published_during_a_fetch(
        self, server: KeySetServer
    ) -> None:
        server.released.clear()
        async with open_token_checker(server) as checker:
            await wait_until(lambda: server.fetches == 1)
            server.published = [A, B]
            checking = asyncio.create_task(checker.check(B.sign()))
            await asyncio.sleep(0)
            server.released.set()
            assert await checking == ACCEPTED
        assert server.fetches == 2

    async def test_may_force_another_refresh_when_it_is_time_and_not_before(
        self, server: KeySetServer
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            assert await checker.check(B.sign()) == REFUSED
            server.published = [A, B]
            advance_clock(POLICY.retry_after_s - POLICY.timeout_s)
            assert await checker.check(B.sign()) == REFUSED
            assert server.fetches == 2
            advance_clock(POLICY.timeout_s)
            assert await checker.check(B.sign()) == ACCEPTED

    @pytest.mark.parametrize("cancelled", [0, 1], ids=["first waiter", "second waiter"])
    async def test_are_found_although_a_waiting_request_is_cancelled(
        self, server: KeySetServer, cancelled: int
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, B]
            server.released.clear()
            checking = [asyncio.create_task(checker.check(B.sign())) for _ in range(2)]
            await wait_until(lambda: server.fetches == 2)
            checking.pop(cancelled).cancel()
            await asyncio.sleep(0)
            server.released.set()
            assert await checking[0] == ACCEPTED
        assert (server.fetches, server.cancelled) == (2, 0)

    async def test_are_found_although_the_deadline_of_the_first_request_passes(
        self, server: KeySetServer
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [A, B]
            server.released.clear()
            checking = asyncio.create_task(checker.check(B.sign(), timeout_s=60))
            await wait_until(lambda: server.fetches == 2)
            advance_clock(60)
            assert await checking == UNAVAILABLE
            server.released.set()
            assert await checker.check(B.sign()) == ACCEPTED
        assert server.fetches == 2
