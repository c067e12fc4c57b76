"""The time that the service takes to start and to import."""

import time
from statistics import median

from benchmarks.processes import run
from benchmarks.servers import Servers

_TIMES = 5
_IMPORT = (
    "import time; t = time.perf_counter()\n"
    "import entrypoints.command; print(time.perf_counter() - t)"
)


def start_s(servers: Servers) -> float:
    """Measure the time from a process's start until its first ``GET /`` is answered."""
    return median(_start_s(servers) for _ in range(_TIMES))


def import_s() -> float:
    """Measure the import time in the process itself, because its exit takes time too."""
    return median(float(run(["-c", _IMPORT], {})) for _ in range(_TIMES))


def _start_s(servers: Servers) -> float:
    began_s = time.perf_counter()
    with servers.start("service", "usual") as service:
        service.get("/")
        return time.perf_counter() - began_s
