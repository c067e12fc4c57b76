import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from attrs import evolve

from adapters.identity.key_server import RefreshPolicy, open_key_server
from tests.adapters.identity.cases.key_set_server import (
    MAX_BYTES,
    IssuerKey,
    KeySetServer,
    as_html,
    padded,
    rsa_key,
    with_a_cookie,
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

UNUSABLE_KEYS = {
    "too short, too long or weak": rsa_key("b", bits=1024),
    "use is not sig": IssuerKey("b", more={"use": "enc"}),
    "key_ops does not contain verify": IssuerKey("b", more={"key_ops": ["sign"]}),
    "alg is not ES256": IssuerKey("b", more={"alg": "RS256"}),
    "malformed": IssuerKey("b", more={"x": "s3cret"}),
}
"""By the reason in the log."""
NOT_USED = "JWKS keys not used"


class TestRefreshPolicy:
    async def test_rejects_a_removed_key_within_five_minutes(self, server: KeySetServer) -> None:
        policy = evolve(RefreshPolicy(), timeout_s=POLICY.timeout_s)
        async with open_token_checker(server, policy) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [B]
            advance_clock(300 - RefreshPolicy().timeout_s)
            await checker.wait_for(REFUSED, A.sign())

    async def test_rejects_a_removed_key_within_five_minutes_despite_one_failure(
        self, server: KeySetServer
    ) -> None:
        policy = evolve(RefreshPolicy(), timeout_s=POLICY.timeout_s)
        async with open_token_checker(server, policy) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
            advance_clock(policy.refresh_after_s)
            await checker.wait_for(UNAVAILABLE, B.sign())
            server.published = [B]
            await server.start()
            advance_clock(300 - policy.refresh_after_s - RefreshPolicy().timeout_s)
            await checker.wait_for(REFUSED, A.sign())

    async def test_keeps_keys_for_an_hour_without_the_server(self, server: KeySetServer) -> None:
        policy = evolve(RefreshPolicy(), timeout_s=POLICY.timeout_s)
        async with open_token_checker(server, policy) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
            advance_clock(3600 - policy.retry_after_s - 60)
            await checker.wait_for(UNAVAILABLE, B.sign())
            assert await checker.check(A.sign()) == ACCEPTED
            advance_clock(60 + policy.retry_after_s)
            await checker.wait_for(UNAVAILABLE, A.sign())

    async def test_accepts_a_new_key_30_seconds_after_another_was_asked_for(
        self, server: KeySetServer
    ) -> None:
        policy = evolve(RefreshPolicy(), timeout_s=POLICY.timeout_s)
        async with open_token_checker(server, policy) as checker:
            assert await checker.check(B.sign()) == REFUSED
            server.published = [A, B]
            advance_clock(30)
            assert await checker.check(B.sign()) == ACCEPTED

    async def test_waits_five_seconds_for_a_response(self, server: KeySetServer) -> None:
        server.released.clear()
        async with open_token_checker(server, RefreshPolicy()) as checker:
            checking = asyncio.create_task(checker.check(A.sign()))
            await wait_until(lambda: server.fetches == 1)
            advance_clock(5)
            assert await checking == UNAVAILABLE


class TestFirstFetch:
    async def test_is_awaited_by_all_requests(self, server: KeySetServer) -> None:
        server.released.clear()
        async with open_token_checker(server) as checker:
            checking = [asyncio.create_task(checker.check(A.sign())) for _ in range(10)]
            await wait_until(lambda: server.fetches == 1)
            assert not any(one.done() for one in checking)
            server.released.set()
            assert await asyncio.gather(*checking) == 10 * [ACCEPTED]
        assert server.fetches == 1

    async def test_does_not_wait_for_a_request(self, server: KeySetServer) -> None:
        async with open_token_checker(server):
            await wait_until(lambda: server.fetches == 1)

    async def test_shows_no_query_of_the_url_in_a_repr(self, server: KeySetServer) -> None:
        async with open_key_server(f"{server.url}?key=s3cret", policy=POLICY) as keys:
            assert "s3cret" not in f"{keys!r} {keys.client!r}"

    async def test_requests_no_compression_and_returns_no_cookies(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        server.answer = with_a_cookie
        by_name = server.url.replace("127.0.0.1", "localhost")  # an address gets no cookies
        policy = evolve(POLICY, timeout_s=1e9)  # as long as a slow fetch, for this clock
        async with open_key_server(by_name, policy=policy):
            for number in range(1, 4):
                await wait_for_count(lambda: server.fetches, number)
                await asyncio.sleep(0.05)
                advance_clock(POLICY.refresh_after_s)
        assert warnings() == []
        assert {headers["Accept-Encoding"] for headers in server.headers} == {"identity"}
        assert "s3cret" not in str(server.headers)


class TestCachedKeys:
    async def test_need_no_fetch(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert {await checker.check(A.sign()) for _ in range(100)} == {ACCEPTED}
        assert server.fetches == 1

    async def test_verify_tokens_without_kid(self, server: KeySetServer) -> None:
        server.published = [B, A]
        async with open_token_checker(server) as checker:
            assert await checker.check(IssuerKey(None, key=A.key).sign()) == ACCEPTED

    async def test_refuse_a_forgery_while_the_server_is_down(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
            assert await checker.check(FORGED) == REFUSED
        assert warnings() == []

    async def test_are_refreshed_when_it_is_time_and_not_before(self, server: KeySetServer) -> None:
        fetched_at = server.fetched_at
        no_timeout = evolve(POLICY, timeout_s=1e9)  # of a fetch in flight as the clock moves
        async with open_token_checker(server, no_timeout) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            for number in range(2, 5):
                for _ in range(8):
                    advance_clock(POLICY.refresh_after_s / 8)
                    await asyncio.sleep(0.02)  # an early refresh would happen now
                await wait_for_count(lambda: server.fetches, number)
        early = [
            later - earlier
            for earlier, later in pairwise(fetched_at)
            if later - earlier < POLICY.refresh_after_s - POLICY.timeout_s
        ]
        assert early == []

    async def test_are_invalid_once_removed(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.published = [B]
            advance_clock(POLICY.refresh_after_s)
            await checker.wait_for(REFUSED, A.sign())
            assert await checker.check(B.sign()) == ACCEPTED

    async def test_can_all_be_removed(self, server: KeySetServer, warnings: Warnings) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            assert warnings() == []
            server.published = []
            advance_clock(POLICY.refresh_after_s)
            await checker.wait_for(REFUSED, A.sign())
        assert set(warnings()) == {("JWKS has no usable key", None)}

    async def test_expire_and_come_back_with_the_server(self, server: KeySetServer) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
            advance_clock(POLICY.keep_for_s)
            await checker.wait_for(UNAVAILABLE, A.sign())
            await server.start()
            advance_clock(POLICY.retry_after_s)
            await checker.wait_for(ACCEPTED, A.sign())


class TestKeySet:
    async def test_is_accepted_up_to_256_kib_and_of_any_type(self, server: KeySetServer) -> None:
        for answer in (padded(MAX_BYTES), as_html):
            server.answer = answer
            async with open_token_checker(server) as checker:
                assert await checker.check(A.sign()) == ACCEPTED

    async def test_may_hold_several_keys_with_one_kid(self, server: KeySetServer) -> None:
        twin, other = IssuerKey("a"), rsa_key("a")
        server.published = [A, twin, other, A]
        async with open_token_checker(server) as checker:
            assert [await checker.check(key.sign()) for key in (A, twin, other)] == 3 * [ACCEPTED]
            assert await checker.check(FORGED) == REFUSED
        assert server.fetches == 1

    @pytest.mark.parametrize("reason", UNUSABLE_KEYS)
    async def test_may_hold_unusable_keys(
        self, server: KeySetServer, reason: str, warnings: Warnings
    ) -> None:
        unusable = UNUSABLE_KEYS[reason]
        server.published = [unusable, A]
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            assert await checker.check(unusable.sign()) == REFUSED
        assert server.fetches == 2
        assert warnings() == [(NOT_USED, f"kid 'b': {reason}")]

    async def test_has_its_unusable_keys_logged_again_only_if_they_change(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        b, c = (IssuerKey(kid, more={"use": "enc"}) for kid in "bc")
        async with open_token_checker(server) as checker:
            for unusable in ([b, c], [c, b], [b], [b], [], [b]):
                new = IssuerKey("new")
                server.published = [*unusable, new]
                advance_clock(POLICY.refresh_after_s)
                await checker.wait_for(ACCEPTED, new.sign())
        both = "kid 'b': use is not sig; kid 'c': use is not sig"
        only_b = "kid 'b': use is not sig"
        assert [reason for _, reason in warnings()] == [both, only_b, only_b]

    async def test_is_parsed_in_a_thread(self, server: KeySetServer) -> None:
        gate, threads = threading.Event(), ThreadPoolExecutor(max_workers=1)
        busy = threads.submit(gate.wait)
        asyncio.get_running_loop().set_default_executor(threads)
        try:
            async with open_token_checker(server) as checker:
                checking = asyncio.create_task(checker.check(A.sign()))
                await wait_until(lambda: threads._work_queue.qsize() == 1)  # noqa: SLF001
                assert not checking.done()
                gate.set()
                assert await checking == ACCEPTED
        finally:
            gate.set()
        assert busy.done()


class TestClosing:
    async def test_ends_all_tasks(self, server: KeySetServer, warnings: Warnings) -> None:
        before = asyncio.all_tasks()
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            await server.stop()
        assert asyncio.all_tasks() <= before
        assert warnings() == []

    async def test_ends_all_tasks_before_the_first_fetch(self, server: KeySetServer) -> None:
        before = asyncio.all_tasks()
        async with open_key_server(server.url, policy=POLICY):
            pass
        assert asyncio.all_tasks() == before

    async def test_ends_all_tasks_during_the_first_fetch(self, warnings: Warnings) -> None:
        loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
            async with open_key_server(url, policy=POLICY):
                connection, _ = await loop.sock_accept(listener)
                assert await loop.sock_recv(connection, 3) == b"GET"
            assert asyncio.all_tasks() == before
            connection.close()
        assert warnings() == []

    async def test_cancels_a_forced_refresh(self, server: KeySetServer, warnings: Warnings) -> None:
        async with open_token_checker(server) as checker:
            assert await checker.check(A.sign()) == ACCEPTED
            server.released.clear()
            checking = asyncio.create_task(checker.check(B.sign()))
            await wait_until(lambda: server.fetches == 2)
            checking.cancel()
        await wait_until(lambda: server.cancelled == 1)
        assert warnings() == []
