"""Slow clients are cut off by the timeout for what they delay, and other clients are served."""

import asyncio
import os
import statistics
import time
from collections.abc import Mapping
from contextlib import nullcontext

import aiohttp
import pytest
from attrs import evolve
from yarl import URL

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import gateway
from tests.robustness.clients import NO_TIMEOUTS, ProcessStats
from tests.robustness.metrics import Metrics
from tests.robustness.slow_clients import SLOW_CLIENTS, SlowClient, slow_clients_running
from tests.support.command import Run
from tests.support.service import DEMO_REQUEST, MUTE, Service, running_service
from tests.support.timeouts import HOUR_S

__all__ = ["gateway"]

pytestmark = pytest.mark.robustness("slow clients")

LIMITS: Mapping[str, Limits] = {
    "headers": evolve(NO_TIMEOUTS, headers_timeout_s=0.3),
    "body": evolve(NO_TIMEOUTS, body_timeout_s=0.3),
    "idle": evolve(NO_TIMEOUTS, idle_timeout_s=0.3),
}
"""One short timeout each: what the others end takes an hour."""
EACH = 25
TIMEOUTS_S: Mapping[str, float] = {"headers": 10, "body": 5, "idle": 75}
ROUNDS = 8
SETTLE_S, PHASE_S = 2.0, 2.5  # together less than the shortest timeout
OTHER_CLIENTS = 4


async def run_all(
    url: URL, *, clients: list[SlowClient], each: int, pause_s: float
) -> dict[SlowClient, list[float]]:
    """Run so many of each client to their ends; return the seconds that they took."""
    running = [client for client in clients for _ in range(each)]
    ends = await asyncio.gather(*(client.run(url, pause_s) for client in running))
    took: dict[SlowClient, list[float]] = {client: [] for client in clients}
    for client, (seconds, statuses) in zip(running, ends, strict=True):
        assert statuses == client.statuses, client
        took[client].append(seconds)
    return took


class TestSlowClients:
    @pytest.mark.parametrize("ended_by", LIMITS)
    async def test_are_cut_off_and_leave_nothing_open(
        self,
        gateway: InMemoryRoomGateway,
        caplog: pytest.LogCaptureFixture,
        metrics: Metrics,
        ended_by: str,
    ) -> None:
        async with running_service(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
            limits=LIMITS[ended_by],
            timeout_s=HOUR_S,
        ) as service:
            assert await is_served(service, ended_by)
            stats = ProcessStats(os.getpid())
            tasks, descriptors = len(asyncio.all_tasks()), stats.descriptors
            clients = [each for each in SLOW_CLIENTS.values() if each.timeout == ended_by]
            running = run_all(service.url, clients=clients, each=EACH, pause_s=0.02)
            served = await self._serve_others(service, ended_by, asyncio.create_task(running))
            while len(asyncio.all_tasks()) > tasks or stats.descriptors > descriptors:  # noqa: ASYNC110 - the system's
                await asyncio.sleep(0.02)
        assert not caplog.records
        assert not [event for event in service.events if event["status"] >= 500]
        metrics.note("slow clients", EACH * len(clients))
        metrics.at_least("requests of others meanwhile", served, 1)

    async def _serve_others(
        self, service: Service, ended_by: str, slow: asyncio.Task[dict[SlowClient, list[float]]]
    ) -> int:
        served = 0
        while not slow.done():
            assert await is_served(service, ended_by)
            served += 1
            await asyncio.sleep(0.005)
        await slow
        return served

    @pytest.mark.soak
    async def test_are_cut_off_by_the_command_in_time(self, start: Run, metrics: Metrics) -> None:
        url = URL(start("--gateway", "in-memory", AUTH_REQUIRED="false").url)
        clients = list(SLOW_CLIENTS.values())
        took = await run_all(url, clients=clients, each=EACH, pause_s=0.5)
        for timeout, seconds in TIMEOUTS_S.items():
            longest = max(max(took[client]) for client in clients if client.timeout == timeout)
            metrics.at_most(f"s to the {timeout} timeout", longest, seconds + 1, timed=True)

    @pytest.mark.soak
    async def test_cost_the_others_little(self, start: Run, metrics: Metrics) -> None:
        url = URL(start("--gateway", "in-memory", AUTH_REQUIRED="false").url)
        alone, among = [], []
        async with aiohttp.ClientSession() as session:
            for _ in range(ROUNDS):
                alone.append(await p99_of_others(session, url))
                with slow_clients_running(url, each=EACH, pause_s=0.5):
                    await asyncio.sleep(SETTLE_S)
                    among.append(await p99_of_others(session, url))
        metrics.note("p99 of others without them, ms", statistics.median(alone) * 1000)
        metrics.note("p99 of others among them, ms", statistics.median(among) * 1000)
        ratio = statistics.median(among) / statistics.median(alone)
        metrics.at_most("p99 of others, times that without them", ratio, 1.2, timed=True)


async def is_served(service: Service, ended_by: str) -> bool:
    """Send a request that the short timeout of the service cannot end on a slow machine."""
    match ended_by:
        case "body":  # which it does not have
            answer = await service.ask("GET", "/livez")
        case "idle":  # which its connection never is
            answer = await service.ask(
                "POST", MUTE, json=DEMO_REQUEST, headers={"Connection": "close"}
            )
        case _:  # whose connection is open already, so that its headers come in one packet
            answer = await service.mute()
    return answer.status == 200


async def p99_of_others(session: aiohttp.ClientSession, url: URL) -> float:
    end = time.perf_counter() + PHASE_S
    took = await asyncio.gather(
        *(seconds_of_mutes(session, url, end) for _ in range(OTHER_CLIENTS))
    )
    return statistics.quantiles([each for one in took for each in one], n=100)[-1]


async def seconds_of_mutes(session: aiohttp.ClientSession, url: URL, end: float) -> list[float]:
    """Send mutes until a time of the performance counter; return how long each took."""
    took = []
    while (started := time.perf_counter()) < end:
        async with session.post(url.join(URL(MUTE)), json=DEMO_REQUEST) as answer:
            assert answer.status == 200
            await answer.read()
        took.append(time.perf_counter() - started)
        await asyncio.sleep(0.01)
    return took
