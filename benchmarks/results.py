"""The results: medians over the rounds, and ratios within the pairs of runs of each round."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Self

from attrs import frozen

from benchmarks.scenarios import BASE

RATIOS: Mapping[str, str] = {
    "cpu_us": "own CPU",
    "instructions": "instructions",
    "requests_per_s": "requests/s",
    "p50_ms": "p50 latency",
}
"""The metrics of which the service's ratio to another program is told, and their names."""


@frozen(kw_only=True)
class Run:
    """One measurement of a program in a scenario.

    Attributes:
        metrics: what could be measured of ``requests_per_s``, ``p50_ms``, ``p99_ms`` and, for
            each request, ``cpu_us`` and ``instructions`` of the program, ``livekit_calls`` with
            their ``livekit_cpu_us``, and ``load_cpu_us`` of the load generator.
    """

    scenario: str
    program: str
    round: int
    requests: int
    warm_up_requests: int
    metrics: Mapping[str, float]


@frozen(kw_only=True)
class Spread:
    """Median, minimum and maximum."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """Return the spread of the values, ``None`` without values."""
        if not values:
            return None
        return cls(median=median(values), lowest=min(values), highest=max(values))


@frozen
class Runs:
    """All runs of a benchmark."""

    all: tuple[Run, ...]

    def of(self, scenario: str, program: str) -> list[Run]:
        """Return the runs of a program in a scenario, one for each round."""
        return [run for run in self.all if (run.scenario, run.program) == (scenario, program)]

    def measured(self, metric: str, program: str | None = None) -> bool:
        """Return whether a metric was measured at all, or of one program."""
        return any(metric in run.metrics for run in self.all if program in (None, run.program))

    def median(self, scenario: str, program: str, metric: str) -> float | None:
        """Return the median of a metric over the rounds, ``None`` if not measured."""
        values = [
            run.metrics[metric] for run in self.of(scenario, program) if metric in run.metrics
        ]
        return median(values) if values else None

    def ratio(self, metric: str, *, over: tuple[str, str], under: tuple[str, str]) -> Spread | None:
        """Return the ratio of a metric between the two runs of each pair, one pair a round."""
        below = {run.round: run.metrics for run in self.of(*under)}
        return Spread.of(
            [
                run.metrics[metric] / below[run.round][metric]
                for run in self.of(*over)
                if metric in run.metrics and metric in below.get(run.round, {})
            ]
        )

    def against(self, program: str, scenario: str, metric: str) -> Spread | None:
        """Return the ratio of the service to another program in a scenario."""
        return self.ratio(metric, over=(scenario, "service"), under=(scenario, program))

    def growth(self, scenario: str) -> Spread | None:
        """Return the ratio of the service's CPU time to that of the base scenario."""
        return self.ratio("cpu_us", over=(scenario, "service"), under=(BASE, "service"))


@frozen(kw_only=True)
class ProcessMetrics:
    """The service's start-up time and memory.

    Attributes:
        start_s: from the process's start to the answer to ``GET /``.
        import_s: the part of it that importing takes.
        before_mib: resident memory before the first request.
        after_mib: resident memory after the last request.
        requests: number of requests in between.
    """

    start_s: float
    import_s: float
    before_mib: float
    after_mib: float
    requests: int


@frozen(kw_only=True)
class Results:
    """All measurements; ``process`` is ``None`` if only some scenarios ran."""

    livekit: str
    rounds: int
    seconds: float
    scenarios: tuple[str, ...]
    skipped: tuple[str, ...]
    runs: Runs
    process: ProcessMetrics | None
