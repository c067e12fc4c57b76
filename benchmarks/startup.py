"""How long the service takes to start, and to import."""

import time
from statistics import median

from benchmarks.fleet import Fleet
from benchmarks.processes import run

_TIMES = 5


def start_s(fleet: Fleet) -> float:
    """Measure the time from a process's start until its first ``GET /`` is answered."""
    return median(_start_s(fleet) for _ in range(_TIMES))


def import_s() -> float:
    """Measure what importing the program takes beyond Python's own start."""
    return median(_run_s("import entrypoints.main") - _run_s("pass") for _ in range(_TIMES))


def _start_s(fleet: Fleet) -> float:
    began_s = time.perf_counter()
    with fleet.start("service", "usual") as service:
        service.get("/")
        return time.perf_counter() - began_s


def _run_s(program: str) -> float:
    began_s = time.perf_counter()
    run(["-c", program], {})
    return time.perf_counter() - began_s
