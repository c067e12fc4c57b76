"""Two hundred clients that are slow, and others who are served meanwhile."""

import asyncio
import os
import statistics
import time
from collections.abc import Mapping
from contextlib import nullcontext

import aiohttp
import pytest
from yarl import URL

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from entrypoints.http.limits import Limits
from tests.campaigns.clients import Vitals
from tests.campaigns.figures import Figures
from tests.campaigns.slow_clients import KINDS, Slowness, besieged
from tests.command import Run
from tests.entrypoints.http.conftest import gateway
from tests.service import DEMO_WISH, MUTE, Service, running_service

__all__ = ["gateway"]

pytestmark = pytest.mark.campaign("slow clients")

IMPATIENT = Limits(leaving_s=0, headers_timeout_s=0.4, body_timeout_s=0.2, idle_timeout_s=0.6)
EACH = 25
PATIENCE_S = 30.0
BOUNDS_S: Mapping[str, float] = {"headers": 10, "body": 5, "idle": 75}
ROUNDS = 8
SETTLE_S, PHASE_S = 2.0, 2.5  # together less than the shortest limit
POLITE = 4


async def polite_seconds(session: aiohttp.ClientSession, url: URL, until: float) -> list[float]:
    """Ask for one mute after the other; tell how long each took."""
    took = []
    while (started := time.perf_counter()) < until:
        async with session.post(url.join(URL(MUTE)), json=DEMO_WISH) as answer:
            assert answer.status == 200
            await answer.read()
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.01)
    return took


async def suffer_all(url: URL, *, each: int, pause_s: float) -> dict[Slowness, list[float]]:
    """Have so many clients of each kind be slow until all are through."""
    kinds = [kind for kind in KINDS.values() for _ in range(each)]
    ends = await asyncio.gather(*(kind.suffer(url, pause_s) for kind in kinds))
    waited: dict[Slowness, list[float]] = {kind: [] for kind in KINDS.values()}
    for kind, (seconds, told) in zip(kinds, ends, strict=True):
        assert told == kind.told
        waited[kind].append(seconds)
    return waited


class TestSlowClients:
    async def test_are_answered_or_cut_off_and_leave_nothing(
        self, gateway: InMemoryRoomGateway, caplog: pytest.LogCaptureFixture, figures: Figures
    ) -> None:
        async with running_service(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
            limits=IMPATIENT,
        ) as service:
            assert (await service.mute()).status == 200
            ours = Vitals(os.getpid())
            tasks, files = len(asyncio.all_tasks()), ours.descriptors
            async with asyncio.timeout(PATIENCE_S):
                served = await self._serves_others(service)
            async with asyncio.timeout(PATIENCE_S):
                while len(asyncio.all_tasks()) > tasks or ours.descriptors > files:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        assert not caplog.records
        assert not [event for event in service.events if event["status"] >= 500]
        figures.note("slow clients", EACH * len(KINDS))
        figures.at_least("requests of others meanwhile", served, 1)

    async def _serves_others(self, service: Service) -> int:
        slow = asyncio.create_task(suffer_all(service.url, each=EACH, pause_s=0.02))
        served = 0
        while not slow.done():
            assert (await service.mute()).status == 200
            served += 1
            await asyncio.sleep(0.005)
        await slow
        return served

    @pytest.mark.soak
    async def test_are_cut_off_by_the_command_in_time(self, start: Run, figures: Figures) -> None:
        url = URL(start("--gateway", "in-memory").url)
        waited = await suffer_all(url, each=EACH, pause_s=0.5)
        for limit, seconds in BOUNDS_S.items():
            longest = max(max(waited[kind]) for kind in KINDS.values() if kind.within == limit)
            figures.at_most(f"longest until the end: {limit}, s", longest, seconds + 1, timed=True)

    @pytest.mark.soak
    async def test_cost_the_others_little(self, start: Run, figures: Figures) -> None:
        url = URL(start("--gateway", "in-memory").url)
        alone, among = [], []
        async with aiohttp.ClientSession() as session:
            for _ in range(ROUNDS):
                alone.append(await p99_of_others(session, url))
                with besieged(url, each=EACH, pause_s=0.5):
                    await asyncio.sleep(SETTLE_S)
                    among.append(await p99_of_others(session, url))
        figures.note("p99 of others without them, ms", statistics.median(alone) * 1000)
        figures.note("p99 of others among them, ms", statistics.median(among) * 1000)
        ratio = statistics.median(among) / statistics.median(alone)
        figures.at_most("p99 of others, times that without them", ratio, 1.2, timed=True)


async def p99_of_others(session: aiohttp.ClientSession, url: URL) -> float:
    until = time.perf_counter() + PHASE_S
    took = await asyncio.gather(*(polite_seconds(session, url, until) for _ in range(POLITE)))
    return statistics.quantiles([each for one in took for each in one], n=100)[-1]
