"""Many tokens with unknown keys, and the refresh policy of the key server."""

import asyncio
import gc
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count, pairwise

import pytest
from aiohttp import web
from attrs import define

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import RefreshPolicy, open_key_server
from adapters.identity.signed_tokens import open_signed_tokens
from tests.adapters.identity.cases.key_set_server import (
    MAX_BYTES,
    KeySetServer,
    as_it_is,
    key_set_server,
    renamed,
)
from tests.adapters.identity.cases.keys import b64, to_json
from tests.adapters.identity.cases.token_checker import (
    ACCEPTED,
    FORGED,
    REFUSED,
    A,
    B,
    TokenChecker,
    open_token_checker,
    wait_until,
)
from tests.robustness.metrics import Length, Metrics

pytestmark = pytest.mark.robustness("key sets")

BATCH = 64
PAUSE_S = 0.001
FETCHING = RefreshPolicy(refresh_after_s=0.1, retry_after_s=0.1, keep_for_s=3600, timeout_s=60)


@define
class LoopLag:
    """The longest delay of the event loop, and how much of it was CPU time."""

    longest_s: float = 0.0
    longest_busy_s: float = 0.0

    async def measure(self) -> None:
        while True:
            begun_s, worked_s = time.perf_counter(), time.thread_time()
            await asyncio.sleep(PAUSE_S)
            late_s = time.perf_counter() - begun_s - PAUSE_S
            self.longest_s = max(self.longest_s, late_s)
            busy_s = min(late_s, time.thread_time() - worked_s)
            self.longest_busy_s = max(self.longest_busy_s, busy_s)

    def report(self, metrics: Metrics, what: str) -> None:
        metrics.at_most(f"ms blocked by {what}", self.longest_s * 1e3, 50, timed=True)
        metrics.note(f"ms of CPU time of it, {what}", self.longest_busy_s * 1e3)


@asynccontextmanager
async def loop_lag() -> AsyncIterator[LoopLag]:
    """Measure during the block, with the garbage of earlier tests frozen, as in the service."""
    lag = LoopLag()
    gc.collect()
    gc.freeze()
    measuring = asyncio.create_task(lag.measure())
    try:
        yield lag
    finally:
        gc.unfreeze()
        measuring.cancel()
        await asyncio.wait({measuring})


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(A) as running:
        yield running


def unknown(number: int) -> Iterator[list[str]]:
    """Yield batches of tokens, each with another unknown key."""
    for first in range(0, number, BATCH):
        numbers = range(first, min(first + BATCH, number))
        yield [renamed(FORGED, f"kid-{each}") for each in numbers]


async def outcomes(checker: TokenChecker, tokens: list[str]) -> set[str]:
    return set(await asyncio.gather(*map(checker.check, tokens)))


class TestUnknownKeys:
    async def test_cost_one_fetch_and_delay_nobody(
        self, server: KeySetServer, length: Length, metrics: Metrics
    ) -> None:
        number = length(short=500, full=10_000)
        async with open_token_checker(server) as checker, loop_lag() as lag:
            assert await checker.check(A.sign()) == ACCEPTED
            for tokens in unknown(number):
                assert await outcomes(checker, tokens) == {REFUSED}
        metrics.note("unknown key ids", number)
        metrics.at_most("fetches for them", server.fetches - 1, 1)
        lag.report(metrics, "unknown key ids")

    async def test_delay_nobody_while_the_largest_sets_are_read(
        self, server: KeySetServer, length: Length, metrics: Metrics
    ) -> None:
        """Tokens with a key id that eight large keys share are checked meanwhile, too."""
        turns, large = length(short=2, full=500), largest_set()
        parts = (b'{"alg":"RS256","kid":"shared"}', b"{}", bytes(1023) + b"\2")
        costly = ".".join(map(b64, parts))

        async def answer(_: web.Request, _text: bytes) -> web.StreamResponse:
            return web.Response(body=large)

        server.answer = answer
        async with open_token_checker(server, FETCHING) as checker, loop_lag() as lag:
            await checker.wait_for(ACCEPTED, A.sign())
            for tokens in unknown(turns * BATCH):
                assert await outcomes(checker, [*tokens, costly]) == {REFUSED}
                assert await checker.check(A.sign()) == ACCEPTED
                await asyncio.sleep(0.01)
        metrics.note("fetches of the largest set", server.fetches)
        lag.report(metrics, "the largest sets")


def largest_set() -> bytes:
    """Return a set of a hundred keys in 256 KiB, 99 of them random numbers of 8,192 bits."""
    numbers = [secrets.token_bytes(1023) + b"\1" for _ in range(99)]
    keys = [{"kty": "RSA", "n": b64(b"\xff" + number[1:]), "e": "AQAB"} for number in numbers]
    kids = ["shared"] * 8 + [f"key-{each}" for each in range(91)]
    named = [{**key, "kid": kid} for key, kid in zip(keys, kids, strict=True)]
    return to_json({"keys": [*named, A.entry]}).ljust(MAX_BYTES)


@pytest.mark.soak
class TestRefreshPolicy:
    async def test_is_kept_by_the_clock(self, server: KeySetServer, metrics: Metrics) -> None:
        """Tokens with unknown keys arrive all the time. It takes about six minutes."""
        fetches_s: list[float] = []
        clock = time.monotonic

        async def answer(request: web.Request, text: bytes) -> web.StreamResponse:
            fetches_s.append(clock())
            return await as_it_is(request, text)

        server.answer = answer
        opening = open_signed_tokens(open_key_server(server.url), rules=ClaimRules())
        async with asyncio.timeout(600), opening as authenticator:
            checker = TokenChecker(authenticator)
            assert await checker.check(A.sign()) == ACCEPTED
            async with sending_unknown_keys(checker):
                await wait_until(lambda: len(fetches_s) == 2)
                server.published, published_s = [A, B], clock()
                await checker.wait_for(ACCEPTED, B.sign())
                metrics.at_most("s until a new key works", clock() - published_s, 30.5, timed=True)
                await wait_until(lambda: len(fetches_s) == 4)
            caused_s = fetches_s[1:]  # the first was due without a token
            server.published, removed_s = [B], clock()
            await checker.wait_for(REFUSED, A.sign())
            metrics.at_most("s until an old one stops", clock() - removed_s, 300, timed=True)
        shortest_s = min(later - earlier for earlier, later in pairwise(caused_s))
        metrics.at_least("s between fetches that tokens cause", shortest_s, 29.9, timed=True)


@asynccontextmanager
async def sending_unknown_keys(checker: TokenChecker) -> AsyncIterator[None]:
    async def send() -> None:
        for number in count():
            await checker.check(renamed(FORGED, f"kid-{number}"))
            await asyncio.sleep(0.01)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait({sending})
