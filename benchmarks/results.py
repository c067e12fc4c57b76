"""The results: medians over the rounds, and ratios within each round."""

from collections.abc import Sequence
from statistics import median
from typing import Self

from attrs import frozen

from benchmarks.scenarios import BASE


@frozen(kw_only=True)
class Run:
    """One measurement of a program in a scenario; ``None`` where a real LiveKit gives no value.

    Attributes:
        cpu_us: the program's own CPU time per request.
        load_cpu_us: the load generator's CPU time per request.
        livekit_calls: calls to LiveKit per request.
        livekit_cpu_us: the double's CPU time per call.
    """

    scenario: str
    program: str
    round: int
    requests: int
    warm_up_requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    load_cpu_us: float
    livekit_calls: float | None
    livekit_cpu_us: float | None


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

    def median(self, scenario: str, program: str, metric: str) -> float | None:
        """Return the median of a metric over the rounds, ``None`` if not measured."""
        values = [getattr(run, metric) for run in self.of(scenario, program)]
        known = [value for value in values if value is not None]
        return median(known) if known else None

    def ratio(self, metric: str, *, over: tuple[str, str], under: tuple[str, str]) -> Spread | None:
        """Return the ratio of a metric between two runs of each round."""
        below = {run.round: getattr(run, metric) for run in self.of(*under)}
        return Spread.of(
            [
                getattr(run, metric) / below[run.round]
                for run in self.of(*over)
                if run.round in below
            ]
        )

    def against_bare(self, scenario: str, metric: str) -> Spread | None:
        """Return the ratio of the service to the reference in a scenario."""
        return self.ratio(metric, over=(scenario, "service"), under=(scenario, "bare"))

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
