"""One run: a program under load, its CPU time and its calls to LiveKit."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from attrs import frozen
from cattrs import structure, unstructure

from benchmarks.load_config import LoadConfig, LoadResult
from benchmarks.processes import PROJECT, Running
from benchmarks.results import Run
from benchmarks.scenarios import Program, Scenario
from benchmarks.servers import Servers
from benchmarks.targets import Targets

_MICRO = 1_000_000


class LoadFailedError(Exception):
    """An answer was wrong or missing; the text is the load generator's error."""


@frozen(kw_only=True)
class Usage:
    """CPU time and calls so far, of a program and of its LiveKit double, if any."""

    cpu_s: float
    livekit_calls: int
    livekit_cpu_s: float

    @classmethod
    def read(cls, program: Running, double: Running | None) -> "Usage":
        """Read the counters, between requests."""
        return cls(
            cpu_s=program.cpu_s,
            livekit_calls=sum(json.loads(double.get("/calls")).values()) if double else 0,
            livekit_cpu_s=double.cpu_s if double else 0.0,
        )

    def since(self, before: "Usage") -> "Usage":
        """Return the difference to an earlier reading."""
        return Usage(
            cpu_s=self.cpu_s - before.cpu_s,
            livekit_calls=self.livekit_calls - before.livekit_calls,
            livekit_cpu_s=self.livekit_cpu_s - before.livekit_cpu_s,
        )


def measure(
    servers: Servers, scenario: Scenario, program: Program, *, round_: int, seconds: float
) -> Run:
    """Measure a program under a scenario's load.

    Raises:
        LoadFailedError: an answer was wrong.
    """
    livekit = servers.livekit(scenario.variant)
    measured = servers.program(program, scenario.variant)
    with _load(_load_config(scenario, livekit.targets, measured.url, seconds)) as load:
        warm_up = _load_result(load)
        before = Usage.read(measured, livekit.double)
        _go_on(load)
        result = _load_result(load)
        used = Usage.read(measured, livekit.double).since(before)
        _go_on(load)
    number, calls = result.requests, used.livekit_calls
    return Run(
        scenario=scenario.key,
        program=program,
        round=round_,
        requests=number,
        warm_up_requests=warm_up.requests,
        requests_per_s=number / result.elapsed_s,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        cpu_us=_MICRO * used.cpu_s / number,
        load_cpu_us=_MICRO * result.load_cpu_s / number,
        livekit_calls=calls / number if livekit.double else None,
        livekit_cpu_us=_MICRO * used.livekit_cpu_s / calls if calls else None,
    )


def _load_config(scenario: Scenario, targets: Targets, url: str, seconds: float) -> LoadConfig:
    return LoadConfig(
        url=url,
        connections=scenario.connections,
        idle_connections=scenario.idle_connections,
        exchanges=tuple(scenario.exchanges(targets)),
        warm_up_s=seconds / 5,
        seconds=seconds,
    )


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
