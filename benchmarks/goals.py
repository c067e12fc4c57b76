"""The performance goals. A missed goal is reported and fails nothing."""

import operator
from collections.abc import Callable, Iterator, Mapping

from attrs import frozen
from typing_extensions import override

from benchmarks.results import RATIOS, ProcessMetrics, Results, Runs
from benchmarks.scenarios import (
    BASE,
    METRICS,
    METRICS_ONE_CONNECTION,
    ONE_CONNECTION,
    SCENARIOS,
)

_WORDS: Mapping[Callable[[float, float], bool], str] = {
    operator.le: "at most",
    operator.ge: "at least",
    operator.eq: "exactly",
}
_RATIO_BOUNDS = (
    ("cpu_us", "bare", BASE, operator.le, 0.40),
    ("cpu_us", "bare", ONE_CONNECTION, operator.le, 0.55),
    ("requests_per_s", "bare", BASE, operator.ge, 2.0),
    ("p50_ms", "bare", ONE_CONNECTION, operator.le, 0.75),
    ("instructions", "bare", BASE, operator.le, 0.36),
    ("cpu_us", "unmetered", METRICS, operator.le, 1.03),
    ("cpu_us", "unmetered", METRICS_ONE_CONNECTION, operator.le, 1.03),
    ("instructions", "unmetered", METRICS, operator.le, 1.03),
    ("instructions", "unmetered", METRICS_ONE_CONNECTION, operator.le, 1.03),
    ("requests_per_s", "other", BASE, operator.ge, 1.0),
    ("requests_per_s", "other", "participants", operator.ge, 1.0),
    ("p50_ms", "other", ONE_CONNECTION, operator.le, 1.25),
)


@frozen(kw_only=True)
class Goal:
    """A bound and the measured value, ``None`` if not measured."""

    name: str
    measured: float | None
    holds: Callable[[float, float], bool] = operator.le
    bound: float

    @property
    def mark(self) -> str:
        """Whether the goal is met."""
        if self.measured is None:
            return "not measured"
        return "met" if self.holds(self.measured, self.bound) else "MISSED"

    @override
    def __str__(self) -> str:
        measured = "-" if self.measured is None else f"{self.measured:.3f}"
        return f"{self.name}: {measured}, {_WORDS[self.holds]} {self.bound:g}: {self.mark}"


def goals(results: Results) -> tuple[Goal, ...]:
    """Compare the results with the goals."""
    return (
        *_goals_of_ratios(results.runs),
        *_goals_of_calls(results.runs),
        Goal(
            name="p99 ms, absent participants",
            measured=results.runs.median("absent", "service", "p99_ms"),
            bound=250,
        ),
        *_goals_of_process(results.process),
    )


def _goals_of_ratios(runs: Runs) -> Iterator[Goal]:
    names = {each.key: each.name for each in SCENARIOS}
    for metric, program, scenario, holds, bound in _RATIO_BOUNDS:
        ratio = runs.against(program, scenario, metric)
        yield Goal(
            name=f"{RATIOS[metric]}, service / {program}, {names[scenario]}",
            measured=ratio.median if ratio else None,
            holds=holds,
            bound=bound,
        )


def _goals_of_calls(runs: Runs) -> tuple[Goal, ...]:
    name = "LiveKit calls per request"
    return (
        Goal(
            name=f"{name}, authenticated, 32 connections",
            measured=runs.median(BASE, "service", "livekit_calls"),
            bound=1.2,
        ),
        Goal(
            name=f"{name}, authenticated, 1 connection",
            measured=runs.median(ONE_CONNECTION, "service", "livekit_calls"),
            bound=2,
        ),
        Goal(
            name=f"{name}, no id",
            measured=runs.median("no-id", "service", "livekit_calls"),
            holds=operator.eq,
            bound=1,
        ),
    )


def _goals_of_process(process: ProcessMetrics | None) -> tuple[Goal, ...]:
    return (
        Goal(name="seconds to start", measured=process.start_s if process else None, bound=1),
        Goal(
            name="MiB of memory at the end",
            measured=process.after_mib if process else None,
            bound=100,
        ),
    )
