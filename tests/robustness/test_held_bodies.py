"""Clients that hold back their bodies keep out no request whose body arrives."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    usual_keys,
)
from tests.robustness.clients import Client, ProcessStats, livekit_process, mute
from tests.robustness.metrics import Length, Metrics
from tests.robustness.test_overload import ULIMIT, most_open_files, outcome
from tests.support.command import Run

__all__ = ["most_open_files"]

pytestmark = pytest.mark.robustness("load")

MAX_BODY_BYTES = 16 * 1024
HELD = b"\r\n".join(
    [
        b"POST /livekit/participant/mute HTTP/1.1",
        *(b"Host: x", b"Authorization: Bearer x", b"Content-Type: application/json"),
        *(b"Content-Length: %d" % MAX_BODY_BYTES, b"", b"{" + b" " * (MAX_BODY_BYTES - 2)),
    ]
)
"""A request whose last byte is missing."""
CLIENTS = 4


@asynccontextmanager
async def bodies_held_back(url: str, number: int) -> AsyncIterator[Counter[str]]:
    """Hold back so many bodies during the block, each again once it is rejected."""
    outcomes: Counter[str] = Counter()
    sent = asyncio.Semaphore(0)

    async def hold() -> None:
        while True:
            async with Client.connected(url) as client:
                client.send(HELD)
                sent.release()
                outcomes[outcome(await client.request(b"")).split(" ")[0]] += 1

    holding = [asyncio.create_task(hold()) for _ in range(number)]
    for _ in range(number):
        await sent.acquire()
    yield outcomes
    for task in holding:
        task.cancel()
    assert set(map(type, await asyncio.gather(*holding, return_exceptions=True))) == {
        asyncio.CancelledError
    }


async def mute_often(url: str, request: bytes, times: int, outcomes: Counter[str]) -> None:
    """Send a request in one part and in two by turns, each on a connection of its own."""
    for number in range(times):
        async with Client.connected(url) as client:
            head, separator, body = request.partition(b"\r\n\r\n")
            client.send(head + separator)
            if number % 2:
                await asyncio.sleep(0)
            outcomes[outcome(await client.request(body))] += 1


class TestBodiesHeldBack:
    async def test_keep_out_no_request_whose_body_arrives(
        self, start: Run, tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        sockets, times = length(short=60, full=1000), length(short=20, full=200)
        (tmp_path / "signing.pem").write_bytes(usual_keys().pem)
        outcomes: Counter[str] = Counter()
        with livekit_process(tmp_path) as (settings, fields):
            async with AuthenticationService().running() as service:
                settings |= {
                    "AUTH_SERVICE_URL": service.url,
                    "AUTH_SIGNING_KEY_PATH": str(tmp_path / "signing.pem"),
                    "AUTH_API_SECRETS_JSON": "",
                    "MAX_IN_FLIGHT": str(length(short=10, full=512)),
                }
                if length.is_soak:
                    settings["BODY_TIMEOUT_SECONDS"] = "5"
                running = start(ulimit=ULIMIT, **settings)
                stats = ProcessStats(running.process.pid)
                async with bodies_held_back(running.url, sockets) as held:
                    await asyncio.gather(
                        *(
                            mute_often(running.url, mute(fields), times, outcomes)
                            for _ in range(CLIENTS)
                        )
                    )
        metrics.note("bodies held back", sockets)
        metrics.note("bodies rejected", held.total())
        metrics.at_most("peak MB resident", stats.peak_mb, 150)
        assert set(held) <= {"overloaded", "408"}
        assert outcomes == {"200": CLIENTS * times}
