"""After very many requests of all kinds the service is as large as after a tenth of them."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from domain.caller import TenantId
from tests.campaigns.clients import STRANGER, TOKEN, Vitals, livekit_apart
from tests.campaigns.figures import Figures, Length
from tests.campaigns.mixed_requests import Crowd, asked, last
from tests.command import Run
from tests.service import DEMO_WISH, running_service

pytestmark = pytest.mark.campaign("growth")

CLIENTS = 16
PATIENT = {"LIVEKIT_TIMEOUT_SECONDS": "60", "REQUEST_TIMEOUT_SECONDS": "60"}
"""How long it takes is not the question, on a busy machine least of all."""


def crowd(url: str, wish: Mapping[str, object]) -> Crowd:
    return Crowd(
        url=url,
        asked=asked(wish, token=TOKEN, stranger=STRANGER),
        last=last(wish, token=TOKEN),
    )


class TestVeryManyRequests:
    async def test_leave_nothing_behind(
        self, start: Run, tmp_path: Path, length: Length, figures: Figures
    ) -> None:
        total = length(short=3000, full=1_000_000)
        with livekit_apart(tmp_path) as (settings, wish):
            running = start(**PATIENT, **settings)
            vitals = Vitals(running.process.pid)
            descriptors, threads = vitals.descriptors, vitals.threads
            everybody = crowd(running.url, wish)
            began_s = time.perf_counter()
            await everybody.ask_until(total // 10, clients=CLIENTS)
            resident_mb = vitals.resident_mb
            await everybody.ask_until(total, clients=CLIENTS)
            elapsed_s, grown_mb = time.perf_counter() - began_s, vitals.resident_mb - resident_mb
        left = await vitals.descriptors_down_to(descriptors)
        assert everybody.wrong == []
        figures.note("requests", everybody.answered)
        figures.note("requests a second", everybody.answered / elapsed_s)
        figures.note("MB resident after a tenth", resident_mb)
        if length.soaks:  # a short run only fills what is kept
            figures.at_most("MB grown from a tenth to the whole", grown_mb, 5)
        figures.at_most("descriptors left", left, descriptors)
        figures.at_most("threads left", vitals.threads, threads)

    async def test_leave_no_task_behind(self, length: Length, figures: Figures) -> None:
        secrets = ApiSecrets({TOKEN: TenantId("demo"), STRANGER: TenantId("other")})
        async with running_service(
            open_gateway=lambda: nullcontext(demo_room_gateway()),
            open_authenticator=lambda: nullcontext(ApiSecretsAuthenticator(lambda: secrets)),
        ) as service:
            before = asyncio.all_tasks()
            everybody = crowd(str(service.url), DEMO_WISH)
            await everybody.ask_until(length(short=1000, full=20_000), clients=4)
            await asyncio.sleep(0.1)
            left = asyncio.all_tasks() - before
        assert everybody.wrong == []
        figures.at_most("tasks left", len(left), 0)
