"""The performance goals. A missed goal is reported and fails nothing."""

import operator
from collections.abc import Callable, Mapping

from attrs import frozen
from typing_extensions import override

from benchmarks.results import ProcessMetrics, Results, Runs, Spread
from benchmarks.scenarios import BASE

_WORDS: Mapping[Callable[[float, float], bool], str] = {
    operator.le: "at most",
    operator.ge: "at least",
    operator.eq: "exactly",
}


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
        measured = "-" if self.measured is None else f"{self.measured:.2f}"
        return f"{self.name}: {measured}, {_WORDS[self.holds]} {self.bound:g}: {self.mark}"


def goals(results: Results) -> tuple[Goal, ...]:
    """Compare the results with the goals."""
    return (
        *_goals_against_bare(results.runs),
        *_goals_of_calls(results.runs),
        Goal(
            name="p99 ms, absent participants",
            measured=results.runs.median("absent", "service", "p99_ms"),
            bound=250,
        ),
        *_goals_of_process(results.process),
    )


def _goals_against_bare(runs: Runs) -> tuple[Goal, ...]:
    return (
        Goal(
            name="own CPU, service / bare, authenticated, 32 connections",
            measured=_median(runs.against_bare(BASE, "cpu_us")),
            bound=0.5,
        ),
        Goal(
            name="requests/s, service / bare, authenticated, 32 connections",
            measured=_median(runs.against_bare(BASE, "requests_per_s")),
            holds=operator.ge,
            bound=1.7,
        ),
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
            measured=runs.median("authenticated-1", "service", "livekit_calls"),
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


def _median(spread: Spread | None) -> float | None:
    return spread.median if spread else None
