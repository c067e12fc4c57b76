"""The figures of all runs: medians over the rounds, and ratios taken within each round."""

from collections.abc import Sequence
from statistics import median
from typing import Self

from attrs import frozen

from benchmarks.scenarios import BASE


@frozen(kw_only=True)
class Run:
    """A program measured once in a scenario; ``None`` where a real LiveKit cannot be asked.

    Attributes:
        cpu_us: the program's own CPU time for a request.
        load_cpu_us: the load's own CPU time for a request.
        livekit_calls: how many for a request.
        livekit_cpu_us: the double's CPU time for a call.
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
    """The median of a few values, and between which they lie."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """Take the spread of some values, if there are any."""
        if not values:
            return None
        return cls(median=median(values), lowest=min(values), highest=max(values))


@frozen
class Runs:
    """All runs of a benchmark."""

    all: tuple[Run, ...]

    def of(self, scenario: str, program: str) -> list[Run]:
        """Give the runs of a program in a scenario, one for each round."""
        return [run for run in self.all if (run.scenario, run.program) == (scenario, program)]

    def median(self, scenario: str, program: str, figure: str) -> float | None:
        """Take a figure's median over the rounds, where there is one."""
        values = [getattr(run, figure) for run in self.of(scenario, program)]
        known = [value for value in values if value is not None]
        return median(known) if known else None

    def ratio(self, figure: str, *, over: tuple[str, str], under: tuple[str, str]) -> Spread | None:
        """Take a figure's ratio between two scenarios and programs, round by round."""
        below = {run.round: getattr(run, figure) for run in self.of(*under)}
        return Spread.of(
            [
                getattr(run, figure) / below[run.round]
                for run in self.of(*over)
                if run.round in below
            ]
        )

    def against_bare(self, scenario: str, figure: str) -> Spread | None:
        """Take a figure's ratio of the service to the reference in the same scenario."""
        return self.ratio(figure, over=(scenario, "service"), under=(scenario, "bare"))

    def growth(self, scenario: str) -> Spread | None:
        """Take the ratio of the service's own CPU time to that of the base scenario."""
        return self.ratio("cpu_us", over=(scenario, "service"), under=(BASE, "service"))


@frozen(kw_only=True)
class Life:
    """What the service costs beside its requests.

    Attributes:
        start_s: from the process's start to the answer to ``GET /``.
        import_s: how much of that Python takes to import it.
        before_mib: the memory that it holds before its first request.
        after_mib: the memory that it holds after all of them.
        requests: how many those were.
    """

    start_s: float
    import_s: float
    before_mib: float
    after_mib: float
    requests: int


@frozen(kw_only=True)
class Results:
    """All that was measured; no ``life`` where only some scenarios were asked for."""

    livekit: str
    rounds: int
    seconds: float
    scenarios: tuple[str, ...]
    left_out: tuple[str, ...]
    runs: Runs
    life: Life | None
