"""The service does not grow with the number of requests that it has served."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from domain.caller import TenantId
from tests.robustness.clients import (
    NO_TIMEOUTS,
    OTHER_TOKEN,
    TOKEN,
    ProcessStats,
    livekit_process,
)
from tests.robustness.metrics import Length, Metrics
from tests.robustness.mixed_requests import MixedLoad, keep_alive_requests, last_requests
from tests.support.command import Run
from tests.support.service import DEMO_REQUEST, running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("growth")

CLIENTS = 16


def mixed_load(url: str, fields: Mapping[str, object]) -> MixedLoad:
    return MixedLoad(
        url=url,
        requests=keep_alive_requests(fields, token=TOKEN, other_token=OTHER_TOKEN),
        last_requests=last_requests(fields, token=TOKEN),
    )


class TestVeryManyRequests:
    async def test_leave_nothing_open(
        self, start: Run, tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        total = length(short=3000, full=1_000_000)
        with livekit_process(tmp_path) as (settings, fields):
            running = start(**settings)
            stats = ProcessStats(running.process.pid)
            descriptors = stats.descriptors
            load = mixed_load(running.url, fields)
            began_s = time.perf_counter()
            await load.run_until(total // 10, clients=CLIENTS)
            resident_mb, threads = stats.resident_mb, stats.threads  # uvloop starts some late
            await load.run_until(total, clients=CLIENTS)
            elapsed_s, grown_mb = time.perf_counter() - began_s, stats.resident_mb - resident_mb
        left = await stats.settled_descriptors(descriptors)
        assert load.wrong == []
        metrics.note("requests", load.responses)
        metrics.note("requests a second", load.responses / elapsed_s)
        metrics.note("MB resident after a tenth", resident_mb)
        if length.is_soak:  # a short run only fills the caches
            metrics.at_most("MB grown from a tenth to the whole", grown_mb, 5)
        metrics.at_most("descriptors left", left, descriptors)
        metrics.at_most("threads left", stats.threads, threads)

    async def test_leave_no_task(self, length: Length, metrics: Metrics) -> None:
        secrets = ApiSecrets({TOKEN: TenantId("tenant-a"), OTHER_TOKEN: TenantId("other")})
        async with running_service(
            open_gateway=lambda: nullcontext(demo_room_gateway()),
            open_authenticator=lambda: nullcontext(ApiSecretsAuthenticator(lambda: secrets)),
            limits=NO_TIMEOUTS,
            timeout_s=HOUR_S,
        ) as service:
            before = asyncio.all_tasks()
            load = mixed_load(str(service.url), DEMO_REQUEST)
            await load.run_until(length(short=1000, full=20_000), clients=4)
            while asyncio.all_tasks() - before:  # noqa: ASYNC110 - tasks of others
                await asyncio.sleep(0.01)
        assert load.wrong == []
        metrics.note("requests without a task left", load.responses)
