"""One round of a scenario: programs under load in turn, their CPU time and calls to LiveKit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from statistics import median

from benchmarks.load import Load, Loaded, under_load
from benchmarks.load_config import LoadConfig, LoadResult
from benchmarks.processes import Running, StartedByUser
from benchmarks.results import Run
from benchmarks.scenarios import Program, Scenario
from benchmarks.servers import Servers

_MICRO = 1_000_000
_TIMEOUT_S = 30.0
_TIMEOUT_COUNTED_S = 600.0
_TURNS = 16


def measure(
    servers: Servers,
    scenario: Scenario,
    programs: Sequence[Program],
    *,
    round_: int,
    seconds: float,
) -> Iterator[Run]:
    """Measure programs under a scenario's load, each for some seconds.

    They take turns of a sixteenth of that time, and the medians of these are the result, so that
    whatever else the machine is doing matters little. Instructions are counted in one turn each.

    Raises:
        CannotCountError: callgrind gave no figures.
        LoadFailedError: an answer was wrong.
    """
    turns = 1 if servers.counted else _TURNS
    with ExitStack() as stack:
        loads = []
        for program in programs:
            measured = _program(servers, scenario, program, stack)
            loads.append(stack.enter_context(_load(servers, scenario, measured, seconds, turns)))
        loaded: list[list[Loaded]] = [[] for _ in programs]
        for turn in range(turns):
            for place in range(len(programs))[:: -1 if turn % 2 else 1]:
                loaded[place].append(loads[place].go_on())
        for program, load, each in zip(programs, loads, loaded, strict=True):
            yield Run(
                scenario=scenario.key,
                program=program,
                round=round_,
                requests=sum(one.result.requests for one in each),
                warm_up_requests=load.warm_up_requests,
                metrics=_medians(each, counted=servers.counted),
            )


def _program(
    servers: Servers, scenario: Scenario, program: Program, running: ExitStack
) -> Running | StartedByUser:
    """Return the program to measure, a new process where the scenario asks for that.

    Under callgrind there is one process for all rounds: it counts the same in each.
    """
    if scenario.starts_anew and not servers.counted:
        return running.enter_context(servers.start(program, scenario.variant))
    return servers.measured(program, scenario.variant)


def _load(
    servers: Servers,
    scenario: Scenario,
    measured: Running | StartedByUser,
    seconds: float,
    turns: int,
) -> AbstractContextManager[Load]:
    livekit = servers.livekit(scenario.variant)
    config = LoadConfig(
        url=measured.url,
        connections=scenario.connections,
        idle_connections=scenario.idle_connections,
        exchanges=tuple(scenario.exchanges(livekit.targets)),
        warm_up_s=seconds if scenario.starts_anew else seconds / 5,
        seconds=seconds / turns,
        timeout_s=_TIMEOUT_COUNTED_S if servers.counted else _TIMEOUT_S,
    )
    return under_load(config, partial(_counters, measured, livekit.double))


def _counters(measured: Running | StartedByUser, double: Running | None) -> Mapping[str, float]:
    """Read what the program and its LiveKit double have used so far."""
    counters = dict(measured.counters())
    if double:
        counters["livekit_calls"] = sum(json.loads(double.get("/calls")).values())
        counters["livekit_cpu_us"] = double.cpu_us
    return counters


def _medians(turns: Sequence[Loaded], *, counted: bool) -> Mapping[str, float]:
    """Return the median of all turns for each metric; under callgrind, times mean nothing."""
    metrics = [each.used if counted else {**each.used, **_times(each.result)} for each in turns]
    return {name: median(each[name] for each in metrics) for name in metrics[0]}


def _times(result: LoadResult) -> Mapping[str, float]:
    return {
        "requests_per_s": result.requests / result.elapsed_s,
        "p50_ms": result.p50_ms,
        "p99_ms": result.p99_ms,
        "load_cpu_us": _MICRO * result.load_cpu_s / result.requests,
    }
