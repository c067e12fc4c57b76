"""A service of one or several processes before a LiveKit: its load, CPU time and memory."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from cattrs import structure

from benchmarks.load import Loaded, run_load
from benchmarks.load_config import Exchange, LoadConfig
from benchmarks.processes import Running, running
from benchmarks.scenarios import SECRET_OF_OWNER, one_track
from benchmarks.targets import OWNER, Targets

_SECONDS = 1.5
_TIMEOUT_S = 30.0
_KEY = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s3cret" * 6}
OWNERS_SECRET = json.dumps([{"id": OWNER, "secret": SECRET_OF_OWNER}])
_MICRO = 1_000_000


@frozen
class Measured:
    """A service, and the fast LiveKit double behind it."""

    workers: int
    service: Running
    livekit: Running
    targets: Targets

    @property
    def pids(self) -> Sequence[int]:
        """The supervisor, or the only process, and then its children."""
        own = self.service.process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        return [own, *map(int, children)]

    def counters(self) -> Mapping[str, float]:
        """Read the CPU time of all processes, and the number of LiveKit calls, so far."""
        calls = sum(json.loads(self.livekit.get("/calls")).values())
        return {"cpu_us": cpu_us(self.pids), "livekit_calls": calls}

    def load(
        self,
        *,
        connections: int,
        exchanges: Sequence[Exchange] | None = None,
        idle_connections: int = 0,
        seconds: float = _SECONDS,
    ) -> Loaded:
        """Send requests, by default mutes of one track.

        Raises:
            LoadFailedError: an answer was wrong.
        """
        config = load_config(
            self.service.url,
            exchanges or one_track(self.targets),
            connections=connections,
            idle_connections=idle_connections,
            seconds=seconds,
        )
        return run_load(config, self.counters)


def load_config(
    url: str,
    exchanges: Sequence[Exchange],
    *,
    connections: int,
    idle_connections: int = 0,
    seconds: float = _SECONDS,
) -> LoadConfig:
    """Return the configuration of a load that warms up for a fifth of its time."""
    return LoadConfig(
        url=url,
        connections=connections,
        idle_connections=idle_connections,
        exchanges=tuple(exchanges),
        warm_up_s=seconds / 5,
        seconds=seconds,
        timeout_s=_TIMEOUT_S,
    )


@contextmanager
def measured_service(folder: Path, workers: int, **settings: str) -> Iterator[Measured]:
    """Run a service with these settings before a fast LiveKit double."""
    with running(["benchmarks.livekit", "--participants", "1"], _KEY, folder) as livekit:
        variables = {
            **_KEY,
            "LIVEKIT_URL": livekit.url,
            "AUTH_API_SECRETS_JSON": OWNERS_SECRET,
            "WORKERS": str(workers),
            "METRICS_PORT": "0",
            **settings,
        }
        serve = ["entrypoints.main", "serve", "--port", "0"]
        with running(serve, variables, folder) as service:
            yield Measured(workers, service, livekit, structure(livekit.ready, Targets))


def cpu_us(pids: Sequence[int]) -> float:
    """Return the CPU time of processes so far: clock_getcpuclockid(3) on Linux."""
    return sum(_MICRO * time.clock_gettime(~pid << 3 | 2) for pid in pids)


def pss_mb(measured: Measured) -> Sequence[float]:
    """Return the proportional set size of each process, the supervisor's first."""
    sizes = []
    for pid in measured.pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        sizes.append(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024)
    return sizes
