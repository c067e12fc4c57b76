"""One run: a program under load, its CPU time and its calls to LiveKit."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from cattrs import structure, unstructure

from benchmarks.load_config import LoadConfig, LoadResult
from benchmarks.processes import PROJECT, Running, StartedByUser
from benchmarks.results import Run
from benchmarks.scenarios import Program, Scenario
from benchmarks.servers import Servers

_MICRO = 1_000_000
_TIMEOUT_S = 30.0
_TIMEOUT_COUNTED_S = 600.0


class LoadFailedError(Exception):
    """An answer was wrong or missing; the text is the load generator's error."""


def measure(
    servers: Servers, scenario: Scenario, program: Program, *, round_: int, seconds: float
) -> Run:
    """Measure a program under a scenario's load.

    Raises:
        CannotCountError: callgrind gave no figures.
        LoadFailedError: an answer was wrong.
    """
    livekit = servers.livekit(scenario.variant)
    measured = servers.measured(program, scenario.variant)
    config = LoadConfig(
        url=measured.url,
        connections=scenario.connections,
        idle_connections=scenario.idle_connections,
        exchanges=tuple(scenario.exchanges(livekit.targets)),
        warm_up_s=seconds / 5,
        seconds=seconds,
        timeout_s=_TIMEOUT_COUNTED_S if servers.counted else _TIMEOUT_S,
    )
    with _load(config) as load:
        warm_up = _load_result(load)
        before = _counters(measured, livekit.double)
        _go_on(load)
        result = _load_result(load)
        after = _counters(measured, livekit.double)
        _go_on(load)
    used = {name: (after[name] - before[name]) / result.requests for name in after}
    return Run(
        scenario=scenario.key,
        program=program,
        round=round_,
        requests=result.requests,
        warm_up_requests=warm_up.requests,
        metrics=used if servers.counted else {**used, **_times(result)},
    )


def _counters(measured: Running | StartedByUser, double: Running | None) -> Mapping[str, float]:
    """Read, between requests, what the program and its LiveKit double have used so far."""
    counters = dict(measured.counters())
    if double:
        counters["livekit_calls"] = sum(json.loads(double.get("/calls")).values())
        counters["livekit_cpu_us"] = double.cpu_us
    return counters


def _times(result: LoadResult) -> Mapping[str, float]:
    return {
        "requests_per_s": result.requests / result.elapsed_s,
        "p50_ms": result.p50_ms,
        "p99_ms": result.p99_ms,
        "load_cpu_us": _MICRO * result.load_cpu_s / result.requests,
    }


@contextmanager
def _load(config: LoadConfig) -> Iterator["subprocess.Popen[str]"]:
    """Start a load generator; it exits when its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_generator"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as load:
        _write(load.stdin, json.dumps(unstructure(config)))
        yield load


def _go_on(load: "subprocess.Popen[str]") -> None:
    _write(load.stdin, "")


def _write(pipe: IO[str] | None, line: str) -> None:
    assert pipe
    pipe.write(f"{line}\n")
    pipe.flush()


def _load_result(load: "subprocess.Popen[str]") -> LoadResult:
    assert load.stdout
    assert load.stderr
    line = load.stdout.readline()
    if not line:
        raise LoadFailedError(load.stderr.read().strip())
    return structure(json.loads(line), LoadResult)
