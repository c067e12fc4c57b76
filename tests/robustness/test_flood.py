"""One tenant that floods, or whose LiveKit calls hang, slows no other."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from attrs import define, field

from tests.robustness.clients import (
    OTHER_TOKEN,
    Client,
    fields_of,
    livekit_targets,
    mute,
)
from tests.robustness.metrics import Length, Metrics
from tests.robustness.test_overload import ULIMIT, most_open_files, outcome
from tests.support.command import Run
from tests.support.imports import PROJECT
from tests.support.timeouts import scaled

__all__ = ["most_open_files"]

pytestmark = pytest.mark.robustness("fair share")

_INTERVAL_S = 0.1
_MAX_RATIO = 3.0
_FLOODED_S = 1.0


@contextmanager
def flooded(url: str, request: bytes, connections: int) -> Iterator[None]:
    """Send a request all the time on so many connections during the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.flood", url, request.hex(), str(connections), "600"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout
            assert json.loads(process.stdout.readline())["url"] == url
            time.sleep(_FLOODED_S)  # until it has filled the service
            yield
        finally:
            process.kill()


@define
class Victim:
    """Sends ten requests a second, one after the other."""

    url: str
    request: bytes
    outcomes: Counter[str] = field(factory=Counter)

    def p99_s(self, requests: int) -> float:
        """Return the 99th percentile of the latencies of some requests."""
        latencies = sorted(asyncio.run(self._send(requests)))
        return latencies[len(latencies) * 98 // 100]

    async def _send(self, requests: int) -> Sequence[float]:
        loop, latencies = asyncio.get_running_loop(), list[float]()
        async with Client.connected(self.url) as client:
            await client.request(self.request)
            began_s = loop.time()
            for number in range(requests):
                await asyncio.sleep(max(0.0, began_s + number * _INTERVAL_S - loop.time()))
                sent_s = loop.time()
                self.outcomes[outcome(await client.request(self.request))] += 1
                latencies.append(loop.time() - sent_s)
        return latencies


class TestATenant:
    @pytest.mark.parametrize(
        "livekit",
        [("--delay-s", "0.05"), ("--delay-s", "0"), ("--hanging", "benchmark-0")],
        ids=["slow", "fast", "hanging"],
    )
    def test_that_floods_slows_no_other(
        self,
        start: Run,
        tmp_path: Path,
        length: Length,
        metrics: Metrics,
        livekit: Sequence[str],
    ) -> None:
        rounds, requests = length(short=1, full=9), length(short=3, full=50)
        limit = length(short=10, full=100)
        with livekit_targets(tmp_path, *livekit) as (settings, targets):
            settings |= {"MAX_IN_FLIGHT": str(limit), "LIVEKIT_TIMEOUT_SECONDS": "5"}
            running = start(ulimit=ULIMIT, **settings)
            flooding = mute(fields_of(targets.one_per_room[0]))
            victim = Victim(running.url, mute(fields_of(targets.other_tenant), token=OTHER_TOKEN))
            victim.p99_s(1)
            ratios = list[float]()
            for _ in range(rounds):
                unloaded_s = victim.p99_s(requests)
                with flooded(running.url, flooding, 10 * limit):
                    ratios.append(victim.p99_s(requests) / unloaded_s)
                time.sleep(scaled(0.5))
        ratio = median(ratios)
        metrics.at_most(f"p99 under a flood, {livekit[0][2:]}", ratio, _MAX_RATIO, timed=True)
        assert victim.outcomes == {"200": 1 + 2 * rounds * requests}
