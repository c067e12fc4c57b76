"""What callers of a running service notice of what becomes of its issuer's keys: nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pytest
from attrs import define, field

from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import Pace, open_key_server
from adapters.identity.signed_tokens import open_signed_tokens
from adapters.in_memory.demo import demo_room_gateway
from entrypoints.http.limits import Limits
from tests.adapters.identity.key_set_server import IssuerKey, KeySetServer, key_set_server, rsa_key
from tests.service import Service, running_service

pytestmark = pytest.mark.campaign("key sets")

CLIENTS = 32
PACE = Pace(renew_after_s=0.1, retry_after_s=0.1, keep_for_s=3600, timeout_s=20)
PATIENT = Pace(renew_after_s=0.1, retry_after_s=2, keep_for_s=3600, timeout_s=20)
IMPATIENT = Pace(renew_after_s=0.1, retry_after_s=0.4, keep_for_s=3600, timeout_s=0.2)


@define(eq=False)
class Load:
    """Clients that ask one after another with the newest token, and what they were told."""

    service: Service
    token: str
    told: Counter[int] = field(factory=Counter)
    in_flight: Counter[str] = field(factory=Counter)

    async def _ask(self) -> None:
        while True:
            token = self.token
            self.in_flight[token] += 1
            answer = await self.service.mute(token=token)
            self.in_flight[token] -= 1
            self.told[answer.status] += 1

    async def use(self, token: str) -> None:
        """Change over to another token, and return when no other is on its way any more."""
        old, self.token = self.token, token
        while self.in_flight[old]:  # noqa: ASYNC110 - answers come over a socket
            await asyncio.sleep(0.005)

    async def go_on(self, answers: int = 100) -> None:
        """Wait until so many more answers have come."""
        enough = self.told.total() + answers
        while self.told.total() < enough:  # noqa: ASYNC110 - answers come over a socket
            await asyncio.sleep(0.005)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        clients = [asyncio.create_task(self._ask()) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            ends = await asyncio.gather(*clients, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}


@asynccontextmanager
async def guarded_by(server: KeySetServer, pace: Pace = PACE) -> AsyncIterator[Service]:
    """Serve those with a token; what waits in vain is given up at last."""
    running = running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: open_signed_tokens(
            open_key_server(server.url, pace=pace), rules=ClaimRules()
        ),
        limits=Limits(leaving_s=0, request_timeout_s=20),
    )
    async with asyncio.timeout(50), running as service:
        yield service


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(IssuerKey("key-0")) as running:
        yield running


class TestRotationUnderLoad:
    async def test_goes_unnoticed(self, server: KeySetServer) -> None:
        [old] = server.published
        async with guarded_by(server) as service:
            load = Load(service, old.sign())
            async with load.running():
                for number in range(1, 7):
                    new = rsa_key(f"key-{number}") if number % 2 else IssuerKey(f"key-{number}")
                    server.published = [old, new]
                    await load.use(new.sign())
                    server.published = [new]
                    await asyncio.sleep(3 * PACE.retry_after_s)
                    await load.go_on()
                    old = new
        assert set(load.told) == {200}

    async def test_ends_what_the_old_key_was_good_for(self, server: KeySetServer) -> None:
        [old], new = server.published, IssuerKey("new")
        async with guarded_by(server, PATIENT) as service:
            load = Load(service, old.sign())
            async with load.running():
                await load.go_on()
                server.published = [old, new]
                await load.use(new.sign())
                server.published = [new]
                while (await service.mute(token=old.sign())).status != 401:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        assert set(load.told) == {200}


class TestOutageUnderLoad:
    async def test_goes_unnoticed_by_those_whose_key_is_known(self, server: KeySetServer) -> None:
        async with guarded_by(server) as service:
            load = Load(service, server.published[0].sign())
            async with load.running():
                for _ in range(4):
                    await load.go_on()
                    await server.stop()
                    await load.go_on()
                    await asyncio.sleep(2 * PACE.renew_after_s)
                    await server.start()
                    fetches = server.fetches
                    while server.fetches == fetches:  # noqa: ASYNC110 - over a socket
                        await asyncio.sleep(0.01)
        assert set(load.told) == {200}

    @pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is down"])
    async def test_of_a_server_never_reached_lets_nobody_in_and_passes(
        self, server: KeySetServer, hangs: bool
    ) -> None:
        if hangs:
            server.released.clear()
        else:
            await server.stop()
        async with guarded_by(server, IMPATIENT) as service:
            load = Load(service, server.published[0].sign())
            async with load.running():
                await load.go_on()
                assert set(load.told) == {503}
                server.released.set()
                if not hangs:
                    await server.start()
                while not load.told[200]:  # noqa: ASYNC110 - answers come over a socket
                    await asyncio.sleep(0.01)
                await load.go_on()
        assert set(load.told) == {503, 200}
