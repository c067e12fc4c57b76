"""Key rotation and key server outages while clients send requests to a running service."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest
from aiohttp import ClientTimeout
from attrs import define, field

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import open_key_server
from adapters.identity.signed_tokens import open_signed_tokens
from adapters.in_memory.demo import demo_room_gateway
from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.key_set_server import IssuerKey, KeySetServer, rsa_key
from tests.adapters.identity.cases.token_checker import POLICY, Warnings, wait_for_count, wait_until
from tests.support.movable_clock import advance_clock
from tests.support.service import DEMO_REQUEST, MUTE, Service, running_service

pytestmark = pytest.mark.robustness("key sets")

CLIENTS = 32
FOREVER_S = 1e9
"""Timeout of everything but the key server's client; the clock is moved by less."""


@define(eq=False)
class Load:
    """Clients that send one request after another with the current token."""

    service: Service
    token: str
    statuses: Counter[int] = field(factory=Counter)
    in_flight: Counter[str] = field(factory=Counter)

    async def mute(self, token: str) -> int:
        """Send one request, without the client's default timeout; return the status."""
        answer = await self.service.ask(
            "POST",
            MUTE,
            json=DEMO_REQUEST,
            headers={"Authorization": f"Bearer {token}"},
            timeout=ClientTimeout(),
        )
        return answer.status

    async def _send_requests(self) -> None:
        while True:
            token = self.token
            self.in_flight[token] += 1
            status = await self.mute(token)
            self.in_flight[token] -= 1
            self.statuses[status] += 1

    async def use(self, token: str) -> None:
        """Switch to another token; return once it was answered and the old one is not in use."""
        old, self.token = self.token, token
        await wait_until(lambda: not self.in_flight[old])
        await self.continue_for(responses=1)

    async def continue_for(self, responses: int = 100) -> None:
        enough = self.statuses.total() + responses
        await wait_until(lambda: self.statuses.total() >= enough)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        clients = [asyncio.create_task(self._send_requests()) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            ends = await asyncio.gather(*clients, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}


@asynccontextmanager
async def load_on(server: KeySetServer) -> AsyncIterator[Load]:
    """Run a service that accepts tokens of the server's keys, and clients with the first key."""
    keys = open_key_server(server.url, policy=POLICY)
    running = running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: open_signed_tokens(keys, rules=ClaimRules()),
        limits=Limits(
            leave_delay_s=0,
            headers_timeout_s=FOREVER_S,
            request_timeout_s=FOREVER_S,
            body_timeout_s=FOREVER_S,
            idle_timeout_s=FOREVER_S,
        ),
        timeout_s=FOREVER_S,
    )
    async with running as service:
        load = Load(service, server.published[0].sign())
        async with load.running():
            yield load


class TestRotation:
    async def test_fails_no_request(self, server: KeySetServer) -> None:
        [old] = server.published
        async with load_on(server) as load:
            for number in range(1, 7):
                await load.continue_for()
                new = rsa_key(f"key-{number}") if number % 2 else IssuerKey(f"key-{number}")
                server.published = [old, new]
                await load.use(new.sign())
                server.published, fetches = [new], server.fetches
                advance_clock(POLICY.refresh_after_s)
                await wait_for_count(lambda: server.fetches, fetches + 1)
                old = new
            await load.continue_for()
        assert set(load.statuses) == {200}

    async def test_ends_with_the_old_key_invalid(self, server: KeySetServer) -> None:
        [old], new = server.published, IssuerKey("new")
        async with load_on(server) as load:
            await load.continue_for()
            server.published = [old, new]
            await load.use(new.sign())
            server.published = [new]
            advance_clock(POLICY.refresh_after_s)
            while await load.mute(old.sign()) != 401:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert set(load.statuses) == {200}


class TestOutage:
    async def test_fails_no_request_with_a_cached_key(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with load_on(server) as load:
            for number in range(1, 5):
                await load.continue_for()
                await server.stop()
                advance_clock(POLICY.refresh_after_s)
                await wait_for_count(lambda: len(warnings()), 2 * number - 1)
                await load.continue_for()
                await server.start()
                advance_clock(POLICY.retry_after_s)
                await wait_for_count(lambda: len(warnings()), 2 * number)
        assert set(load.statuses) == {200}

    @pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is down"])
    async def test_before_the_first_fetch_fails_requests_until_it_ends(
        self, server: KeySetServer, hangs: bool
    ) -> None:
        if hangs:
            server.released.clear()
        else:
            await server.stop()
        async with load_on(server) as load:
            if hangs:
                await wait_until(lambda: server.fetches == 1)
                advance_clock(POLICY.timeout_s)
            await load.continue_for()
            assert set(load.statuses) == {503}
            server.released.set()
            if not hangs:
                await server.start()
            advance_clock(POLICY.retry_after_s)
            await wait_until(lambda: load.statuses[200] > 0)
            await load.continue_for()
        assert set(load.statuses) == {503, 200}
