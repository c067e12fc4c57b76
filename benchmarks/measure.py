"""One run: a program under load, and what the operating system and LiveKit say it cost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from attrs import frozen
from cattrs import structure, unstructure

from benchmarks.figures import Run
from benchmarks.fleet import Fleet
from benchmarks.plan import Outcome, Plan
from benchmarks.processes import PROJECT, Running
from benchmarks.scenarios import Program, Scenario
from benchmarks.stage import Stage

_MICRO = 1_000_000


class LoadFailedError(Exception):
    """The load met a wrong answer, or none; the text is what it says of the first."""


@frozen(kw_only=True)
class Meter:
    """What a program, and the LiveKit behind it where it is a double, have used so far."""

    cpu_s: float
    livekit_calls: int
    livekit_cpu_s: float

    @classmethod
    def read(cls, program: Running, double: Running | None) -> "Meter":
        """Read the meter, between requests."""
        return cls(
            cpu_s=program.cpu_s,
            livekit_calls=sum(json.loads(double.get("/calls")).values()) if double else 0,
            livekit_cpu_s=double.cpu_s if double else 0.0,
        )

    def since(self, before: "Meter") -> "Meter":
        """Give what was used since an earlier reading."""
        return Meter(
            cpu_s=self.cpu_s - before.cpu_s,
            livekit_calls=self.livekit_calls - before.livekit_calls,
            livekit_cpu_s=self.livekit_cpu_s - before.livekit_cpu_s,
        )


def measure(
    fleet: Fleet, scenario: Scenario, program: Program, *, round_: int, seconds: float
) -> Run:
    """Put a program under a scenario's load for so long.

    Raises:
        LoadFailedError: an answer was wrong.
    """
    livekit = fleet.livekit(scenario.variant)
    measured = fleet.program(program, scenario.variant)
    with _load(_plan(scenario, livekit.stage, measured.url, seconds)) as load:
        warm_up = _outcome(load)
        before = Meter.read(measured, livekit.double)
        _go_on(load)
        outcome = _outcome(load)
        used = Meter.read(measured, livekit.double).since(before)
        _go_on(load)
    number, calls = outcome.requests, used.livekit_calls
    return Run(
        scenario=scenario.key,
        program=program,
        round=round_,
        requests=number,
        warm_up_requests=warm_up.requests,
        requests_per_s=number / outcome.elapsed_s,
        p50_ms=outcome.p50_ms,
        p99_ms=outcome.p99_ms,
        cpu_us=_MICRO * used.cpu_s / number,
        load_cpu_us=_MICRO * outcome.load_cpu_s / number,
        livekit_calls=calls / number if livekit.double else None,
        livekit_cpu_us=_MICRO * used.livekit_cpu_s / calls if calls else None,
    )


def _plan(scenario: Scenario, stage: Stage, url: str, seconds: float) -> Plan:
    return Plan(
        url=url,
        connections=scenario.connections,
        idle_connections=scenario.idle_connections,
        exchanges=tuple(scenario.exchanges(stage)),
        warm_up_s=seconds / 5,
        seconds=seconds,
    )


@contextmanager
def _load(plan: Plan) -> Iterator["subprocess.Popen[str]"]:
    """Start a load, and let it have its plan; it ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as load:
        _write(load.stdin, json.dumps(unstructure(plan)))
        yield load


def _go_on(load: "subprocess.Popen[str]") -> None:
    _write(load.stdin, "")


def _write(pipe: IO[str] | None, line: str) -> None:
    assert pipe
    pipe.write(f"{line}\n")
    pipe.flush()


def _outcome(load: "subprocess.Popen[str]") -> Outcome:
    assert load.stdout
    assert load.stderr
    line = load.stdout.readline()
    if not line:
        raise LoadFailedError(load.stderr.read().strip())
    return structure(json.loads(line), Outcome)
