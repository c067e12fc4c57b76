"""An issuer's key server under a flood of unknown keys, and by the clock that is promised."""

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
from adapters.identity.key_server import Pace, open_key_server
from adapters.identity.signed_tokens import open_signed_tokens
from tests.adapters.identity.key_set_door import FORGED, LET_IN, REFUSED, A, B, Door, door_to, until
from tests.adapters.identity.key_set_server import (
    MAX_BYTES,
    KeySetServer,
    as_it_is,
    key_set_server,
    renamed,
)
from tests.adapters.identity.keys import b64, to_json
from tests.campaigns.figures import Figures, Length

pytestmark = pytest.mark.campaign("key sets")

TOGETHER = 64
PAUSE_S = 0.001
FETCHING = Pace(renew_after_s=0.1, retry_after_s=0.1, keep_for_s=3600, timeout_s=60)


@define
class Pulse:
    """How long the event loop let others wait at most, and how long it worked itself."""

    longest_s: float = 0.0
    longest_busy_s: float = 0.0

    async def beat(self) -> None:
        while True:
            begun_s, worked_s = time.perf_counter(), time.thread_time()
            await asyncio.sleep(PAUSE_S)
            late_s = time.perf_counter() - begun_s - PAUSE_S
            self.longest_s = max(self.longest_s, late_s)
            busy_s = min(late_s, time.thread_time() - worked_s)
            self.longest_busy_s = max(self.longest_busy_s, busy_s)

    def tell(self, figures: Figures, what: str) -> None:
        figures.at_most(f"ms blocked by {what}", self.longest_s * 1e3, 50, timed=True)
        figures.note(f"of it at most at work, {what}", self.longest_busy_s * 1e3)


@asynccontextmanager
async def feeling_the_pulse() -> AsyncIterator[Pulse]:
    """Take the pulse; what the tests have left to collect is put aside, as the service does."""
    pulse = Pulse()
    gc.collect()
    gc.freeze()
    beating = asyncio.create_task(pulse.beat())
    try:
        yield pulse
    finally:
        gc.unfreeze()
        beating.cancel()
        await asyncio.wait({beating})


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(A) as running:
        yield running


def unknown(number: int) -> Iterator[list[str]]:
    """Give so many tokens that name each another key, some at a time."""
    for first in range(0, number, TOGETHER):
        numbers = range(first, min(first + TOGETHER, number))
        yield [renamed(FORGED, f"kid-{each}") for each in numbers]


async def tell_all(door: Door, tokens: list[str]) -> set[str]:
    return set(await asyncio.gather(*map(door.tells, tokens)))


class TestUnknownKeys:
    async def test_cost_one_fetch_and_nobody_else_time(
        self, server: KeySetServer, length: Length, figures: Figures
    ) -> None:
        number = length(short=2000, full=10_000)
        async with door_to(server) as door, feeling_the_pulse() as pulse:
            assert await door.tells(A.sign()) == LET_IN
            for tokens in unknown(number):
                assert await tell_all(door, tokens) == {REFUSED}
        figures.note("unknown key ids", number)
        figures.at_most("fetches for all of them", server.fetches - 1, 1)
        pulse.tell(figures, "unknown key ids")

    async def test_cost_nobody_else_time_while_the_largest_sets_are_read(
        self, server: KeySetServer, length: Length, figures: Figures
    ) -> None:
        """And while tokens leave it open which of eight large keys of a name has signed them."""
        turns, large = length(short=15, full=500), largest_set()
        parts = (b'{"alg":"RS256","kid":"shared"}', b"{}", bytes(1023) + b"\2")
        costly = ".".join(map(b64, parts))

        async def answer(_: web.Request, _text: bytes) -> web.StreamResponse:
            return web.Response(body=large)

        server.answer = answer
        async with door_to(server, FETCHING) as door, feeling_the_pulse() as pulse:
            await door.comes_to_tell(LET_IN, A.sign())
            for tokens in unknown(turns * TOGETHER):
                assert await tell_all(door, [*tokens, costly]) == {REFUSED}
                assert await door.tells(A.sign()) == LET_IN
                await asyncio.sleep(0.01)
        figures.note("fetches of the largest set", server.fetches)
        pulse.tell(figures, "the largest sets")


def largest_set() -> bytes:
    """Make a set of a hundred keys in 256 KiB; of those of 8,192 bits nobody has the other half."""
    numbers = [secrets.token_bytes(1023) + b"\1" for _ in range(99)]
    keys = [{"kty": "RSA", "n": b64(b"\xff" + number[1:]), "e": "AQAB"} for number in numbers]
    kids = ["shared"] * 8 + [f"key-{each}" for each in range(91)]
    named = [{**key, "kid": kid} for key, kid in zip(keys, kids, strict=True)]
    return to_json({"keys": [*named, A.entry]}).ljust(MAX_BYTES)


@pytest.mark.soak
class TestPromisedPace:
    async def test_is_kept_by_the_clock(self, server: KeySetServer, figures: Figures) -> None:
        """Though unknown keys are asked for all the time; it takes some six minutes."""
        fetches_s: list[float] = []
        clock = time.monotonic

        async def answer(request: web.Request, text: bytes) -> web.StreamResponse:
            fetches_s.append(clock())
            return await as_it_is(request, text)

        server.answer = answer
        opening = open_signed_tokens(open_key_server(server.url), rules=ClaimRules())
        async with asyncio.timeout(600), opening as authenticator:
            door = Door(authenticator)
            assert await door.tells(A.sign()) == LET_IN
            async with asking_for_unknown(door):
                await until(lambda: len(fetches_s) == 2)
                server.published, published_s = [A, B], clock()
                await door.comes_to_tell(LET_IN, B.sign())
                figures.at_most("s until a new key works", clock() - published_s, 30.5, timed=True)
                await until(lambda: len(fetches_s) == 4)
            caused_s = fetches_s[1:]  # the first was due without a token
            server.published, removed_s = [B], clock()
            await door.comes_to_tell(REFUSED, A.sign())
            figures.at_most("s until an old one stops", clock() - removed_s, 300, timed=True)
        shortest_s = min(later - earlier for earlier, later in pairwise(caused_s))
        figures.at_least("s between fetches that tokens cause", shortest_s, 29.9, timed=True)


@asynccontextmanager
async def asking_for_unknown(door: Door) -> AsyncIterator[None]:
    async def ask() -> None:
        for number in count():
            await door.tells(renamed(FORGED, f"kid-{number}"))
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait({asking})
