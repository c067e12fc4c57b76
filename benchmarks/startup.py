"""How long the service takes to start, and to import."""

import time
from statistics import median

from benchmarks.fleet import Fleet
from benchmarks.processes import run

_TIMES = 5
_IMPORT = (
    "import time; t = time.perf_counter(); import entrypoints.main; print(time.perf_counter() - t)"
)


def start_s(fleet: Fleet) -> float:
    """Measure the time from a process's start until its first ``GET /`` is answered."""
    return median(_start_s(fleet) for _ in range(_TIMES))


def import_s() -> float:
    """Measure what importing the program takes, by its own clock: to end takes Python long, too."""
    return median(float(run(["-c", _IMPORT], {})) for _ in range(_TIMES))


def _start_s(fleet: Fleet) -> float:
    began_s = time.perf_counter()
    with fleet.start("service", "usual") as service:
        service.get("/")
        return time.perf_counter() - began_s
