import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import Pace, open_key_server
from adapters.identity.signed_tokens import SignedTokenAuthenticator, open_signed_tokens
from application.ports.authenticator import AuthenticatorUnavailableError, CredentialUnknownError
from tests.adapters.identity.key_set_server import (
    FAILING,
    MAX_BYTES,
    Answer,
    IssuerKey,
    KeySetServer,
    as_a_page,
    as_it_is,
    drip,
    key_set_server,
    padded,
    renamed,
    rsa_key,
    with_a_cookie,
)
from tests.presented import Presented, showing

Warnings = Callable[[], list[str]]

LET_IN, REFUSED, UNAVAILABLE = "let in", "refused", "unavailable"

CALM = Pace(renew_after_s=3600, retry_after_s=3600, keep_for_s=1e6, timeout_s=60)
"""Nothing happens a second time within a test."""
BRISK = Pace(renew_after_s=0.02, retry_after_s=0.1, keep_for_s=3600, timeout_s=60)
PERSISTENT = Pace(renew_after_s=3600, retry_after_s=0.1, keep_for_s=1e6, timeout_s=60)
IMPATIENT = Pace(renew_after_s=3600, retry_after_s=0.4, keep_for_s=1e6, timeout_s=0.2)

A, B = IssuerKey("a"), IssuerKey("b")
FORGED = IssuerKey("a").sign()
"""It names A, and another key has signed it."""


@frozen
class Door:
    authenticator: SignedTokenAuthenticator

    async def tells(self, token: str, left_s: float = 60.0) -> str:
        """Tell what becomes of a token."""
        try:
            await self.authenticator.authenticate(showing(token, Presented(seconds=left_s)))
        except CredentialUnknownError:
            return REFUSED
        except AuthenticatorUnavailableError:
            return UNAVAILABLE
        return LET_IN

    async def comes_to_tell(self, wanted: str, token: str) -> None:
        while await self.tells(token) != wanted:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.005)


@asynccontextmanager
async def door_to(server: KeySetServer, pace: Pace = CALM) -> AsyncIterator[Door]:
    """Check tokens, once the keys have been asked for."""
    keys = open_key_server(server.url, pace=pace)
    async with open_signed_tokens(keys, rules=ClaimRules()) as authenticator:
        await asyncio.sleep(0)
        yield Door(authenticator)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - it comes over a socket
        await asyncio.sleep(0.005)


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(A) as running:
        yield running


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Warnings:
    """What was logged, of whatever name, that an operator should see."""
    return lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


class TestPace:
    def test_is_the_one_that_was_promised(self) -> None:
        pace = Pace()
        assert (pace.retry_after_s, pace.keep_for_s, pace.timeout_s) == (30, 3600, 2)
        assert pace.renew_after_s + pace.retry_after_s + pace.timeout_s < 300


class TestFirstFetch:
    async def test_is_waited_for_by_all_who_come_meanwhile(self, server: KeySetServer) -> None:
        server.released.clear()
        async with door_to(server) as door:
            asking = [asyncio.create_task(door.tells(A.sign())) for _ in range(10)]
            await until(lambda: server.fetches == 1)
            assert not any(one.done() for one in asking)
            server.released.set()
            assert await asyncio.gather(*asking) == 10 * [LET_IN]
        assert server.fetches == 1

    async def test_needs_no_request(self, server: KeySetServer) -> None:
        async with door_to(server):
            await until(lambda: server.fetches == 1)

    async def test_asks_for_nothing_compressed_and_keeps_no_cookies(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        server.answer = with_a_cookie
        keys = open_key_server(server.url.replace("127.0.0.1", "localhost"), pace=BRISK)
        async with keys:  # cookies are for names alone
            await until(lambda: server.fetches >= 3)
        assert warnings() == []
        assert {headers["Accept-Encoding"] for headers in server.headers} == {"identity"}
        assert "s3cret" not in str(server.headers)


class TestKnownKeys:
    async def test_cost_no_fetch(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert {await door.tells(A.sign()) for _ in range(100)} == {LET_IN}
        assert server.fetches == 1

    async def test_let_in_tokens_without_kid(self, server: KeySetServer) -> None:
        server.published = [B, A]
        async with door_to(server) as door:
            assert await door.tells(IssuerKey(None, key=A.key).sign()) == LET_IN

    async def test_settle_a_forgery_at_once_though_the_server_is_down(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
            assert await door.tells(FORGED) == REFUSED
        assert warnings() == []

    async def test_are_renewed_without_a_request(self, server: KeySetServer) -> None:
        pace = Pace(renew_after_s=0.02, retry_after_s=3600, keep_for_s=1e6, timeout_s=60)
        async with door_to(server, pace) as door:
            await until(lambda: server.fetches >= 3)
            server.published = [B]
            await door.comes_to_tell(LET_IN, B.sign())

    async def test_are_good_no_longer_once_withdrawn(self, server: KeySetServer) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [B]
            await door.comes_to_tell(REFUSED, A.sign())

    async def test_can_all_be_withdrawn(self, server: KeySetServer) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = []
            await door.comes_to_tell(REFUSED, A.sign())

    async def test_are_dropped_after_a_while_without_the_server(self, server: KeySetServer) -> None:
        pace = Pace(renew_after_s=0.02, retry_after_s=0.05, keep_for_s=0.2, timeout_s=60)
        async with door_to(server, pace) as door:
            await door.comes_to_tell(LET_IN, A.sign())
            await server.stop()
            await door.comes_to_tell(UNAVAILABLE, A.sign())
            await server.start()
            await door.comes_to_tell(LET_IN, A.sign())


class TestUnknownKeys:
    async def test_are_learnt_by_one_fetch_for_all(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            answers = await asyncio.gather(*(door.tells(B.sign()) for _ in range(1000)))
            assert answers == 1000 * [LET_IN]
        assert server.fetches == 2

    async def test_cost_one_fetch_however_many_they_are(self, server: KeySetServer) -> None:
        tokens = [renamed(FORGED, f"kid-{number}") for number in range(10_000)]
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert {await door.tells(token) for token in tokens[:9000]} == {REFUSED}
            together = await asyncio.gather(*(door.tells(token) for token in tokens[9000:]))
            assert set(together) == {REFUSED}
        assert server.fetches == 2

    async def test_may_be_without_kid(self, server: KeySetServer) -> None:
        nameless = IssuerKey(None)
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, nameless]
            assert await door.tells(nameless.sign()) == LET_IN
        assert server.fetches == 2

    async def test_may_share_a_kid_with_a_known_one_of_another_algorithm(
        self, server: KeySetServer
    ) -> None:
        other = rsa_key("a")
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, other]
            assert await door.tells(other.sign()) == LET_IN

    async def test_are_unknown_by_their_kid_whoever_has_signed(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(A.sign(kid="another")) == REFUSED
        assert server.fetches == 2

    async def test_are_asked_for_anew_if_published_during_a_fetch(
        self, server: KeySetServer
    ) -> None:
        server.released.clear()
        async with door_to(server) as door:
            await until(lambda: server.fetches == 1)
            server.published = [A, B]
            asking = asyncio.create_task(door.tells(B.sign()))
            await asyncio.sleep(0)
            server.released.set()
            assert await asking == LET_IN
        assert server.fetches == 2

    async def test_are_asked_for_again_after_a_while(self, server: KeySetServer) -> None:
        async with door_to(server, PERSISTENT) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(B.sign()) == REFUSED
            server.published = [A, B]
            await door.comes_to_tell(LET_IN, B.sign())

    @pytest.mark.parametrize("goes", [0, 1], ids=["the first", "another"])
    async def test_are_learnt_though_one_who_asks_goes_away(
        self, server: KeySetServer, goes: int
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            server.released.clear()
            asking = [asyncio.create_task(door.tells(B.sign())) for _ in range(2)]
            await until(lambda: server.fetches == 2)
            asking.pop(goes).cancel()
            await asyncio.sleep(0)
            server.released.set()
            assert await asking[0] == LET_IN
        assert (server.fetches, server.abandoned) == (2, 0)

    async def test_are_learnt_though_the_one_who_asks_has_no_time(
        self, server: KeySetServer
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            server.released.clear()
            assert await door.tells(B.sign(), left_s=0.1) == UNAVAILABLE
            server.released.set()
            assert await door.tells(B.sign()) == LET_IN
        assert server.fetches == 2


class TestFailingKeyServer:
    @pytest.mark.parametrize(("told", "failing"), FAILING.values(), ids=FAILING.keys())
    async def test_takes_no_known_keys_and_brings_no_others(
        self, server: KeySetServer, told: str, failing: Answer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published, server.elsewhere, server.answer = [A, B], [B], failing
            assert [await door.tells(B.sign()) for _ in range(3)] == 3 * [UNAVAILABLE]
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(FORGED) == REFUSED
        assert server.asked == {"/keys": 2}
        assert warnings() == [f"the keys of the issuer were not renewed: the key server {told}"]

    @pytest.mark.parametrize(("told", "failing"), FAILING.values(), ids=FAILING.keys())
    async def test_lets_nobody_in_and_is_asked_again_until_it_recovers(
        self, server: KeySetServer, told: str, failing: Answer, warnings: Warnings
    ) -> None:
        server.answer = failing
        async with door_to(server, PERSISTENT) as door:
            await until(lambda: len(warnings()) >= 2)
            assert all(warning.endswith(told) for warning in warnings())
            assert await door.tells(A.sign(), left_s=1) == UNAVAILABLE
            server.answer = as_it_is
            await door.comes_to_tell(LET_IN, A.sign())
            await door.comes_to_tell(REFUSED, B.sign())

    async def test_is_not_believed_where_it_answers_unasked(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.answer_unasked(B)
            await asyncio.sleep(0.05)
            assert await door.tells(B.sign()) == UNAVAILABLE

    async def test_is_not_asked_by_tokens_for_a_while(self, server: KeySetServer) -> None:
        _, server.answer = FAILING["an error"]
        async with door_to(server) as door:
            assert {await door.tells(A.sign()) for _ in range(10)} == {UNAVAILABLE}
        assert server.fetches == 1

    async def test_is_asked_again_while_keys_are_known(self, server: KeySetServer) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
            assert await door.tells(B.sign(), left_s=1) == UNAVAILABLE
            assert await door.tells(A.sign()) == LET_IN
            server.published = [B]
            await server.start()
            await door.comes_to_tell(LET_IN, B.sign())
            await door.comes_to_tell(REFUSED, A.sign())


class TestSlowKeyServer:
    @pytest.mark.parametrize("hanging", [True, False], ids=["hangs", "drips"])
    async def test_is_waited_for_no_longer_than_its_time(
        self, server: KeySetServer, warnings: Warnings, hanging: bool
    ) -> None:
        async with door_to(server, IMPATIENT) as door:
            await door.comes_to_tell(LET_IN, A.sign())
            server.published, server.answer = [A, B], drip
            if hanging:
                server.released.clear()
            assert await door.tells(B.sign(), left_s=3600) == UNAVAILABLE
            assert await door.tells(A.sign()) == LET_IN
            assert warnings()[-1].endswith("the key server did not answer in time")
            await until(lambda: server.abandoned > 0)
            server.answer = as_it_is
            server.released.set()
            await door.comes_to_tell(LET_IN, B.sign())

    async def test_is_waited_for_no_longer_than_the_request_may(self, server: KeySetServer) -> None:
        server.released.clear()
        async with door_to(server) as door:
            assert await door.tells(A.sign(), left_s=0.05) == UNAVAILABLE
            server.released.set()
            assert await door.tells(A.sign()) == LET_IN
        assert server.fetches == 1

    async def test_costs_those_with_known_keys_nothing(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.released.clear()
            asking = asyncio.create_task(door.tells(B.sign()))
            await until(lambda: server.fetches == 2)
            assert [await door.tells(one, left_s=0) for one in (A.sign(), FORGED)] == [
                LET_IN,
                REFUSED,
            ]
            assert not asking.done()
            server.released.set()
            assert await asking == REFUSED


class TestKeySet:
    @pytest.mark.parametrize(
        "answer",
        [padded(MAX_BYTES), as_a_page],
        ids=["of 256 KiB", "called a page"],
    )
    async def test_is_taken(self, server: KeySetServer, answer: Answer) -> None:
        server.answer = answer
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN

    async def test_may_hold_two_keys_of_one_kid(self, server: KeySetServer) -> None:
        twin, other = IssuerKey("a"), rsa_key("a")
        server.published = [A, twin, other, A]
        async with door_to(server) as door:
            assert [await door.tells(key.sign()) for key in (A, twin, other)] == 3 * [LET_IN]
            assert await door.tells(FORGED) == REFUSED
        assert server.fetches == 1

    @pytest.mark.parametrize(
        "useless",
        [
            rsa_key("b", bits=1024),
            IssuerKey("b", more={"use": "enc"}),
            IssuerKey("b", more={"key_ops": ["sign"]}),
            IssuerKey("b", more={"alg": "RS256"}),
            IssuerKey("b", more={"x": "s3cret"}),
        ],
        ids=["weak", "to encrypt", "to sign", "another algorithm", "malformed"],
    )
    async def test_may_hold_keys_that_are_of_no_use(
        self, server: KeySetServer, useless: IssuerKey, warnings: Warnings
    ) -> None:
        server.published = [useless, A]
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(useless.sign()) == REFUSED
        assert warnings() == []

    async def test_is_read_beside_the_event_loop(self, server: KeySetServer) -> None:
        gate, threads = threading.Event(), ThreadPoolExecutor(max_workers=1)
        threads.submit(gate.wait, timeout=10)
        asyncio.get_running_loop().set_default_executor(threads)
        async with door_to(server, IMPATIENT) as door:
            assert await door.tells(A.sign(), left_s=1) == UNAVAILABLE
            gate.set()
            await door.comes_to_tell(LET_IN, A.sign())


class TestClosing:
    async def test_leaves_nothing_behind(self, server: KeySetServer, warnings: Warnings) -> None:
        before = asyncio.all_tasks()
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
        assert asyncio.all_tasks() <= before
        assert warnings() == []

    async def test_leaves_nothing_behind_before_a_first_fetch(self, server: KeySetServer) -> None:
        before = asyncio.all_tasks()
        async with open_key_server(server.url, pace=CALM):
            pass
        assert asyncio.all_tasks() == before

    async def test_leaves_nothing_behind_in_the_middle_of_a_first_fetch(
        self, warnings: Warnings
    ) -> None:
        loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
            async with open_key_server(url, pace=CALM):
                connection, _ = await loop.sock_accept(listener)
                assert await loop.sock_recv(connection, 3) == b"GET"
            assert asyncio.all_tasks() == before
            connection.close()
        assert warnings() == []

    async def test_gives_up_what_a_token_asked_for(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.released.clear()
            asking = asyncio.create_task(door.tells(B.sign()))
            await until(lambda: server.fetches == 2)
            asking.cancel()
        await until(lambda: server.abandoned == 1)
        assert warnings() == []
