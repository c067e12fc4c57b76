"""Metrics of the robustness tests, and the length at which these tests run.

A robustness test is marked with ``@pytest.mark.robustness(area)``. It runs a few cases in
``make test`` and all of them in ``make soak``, which prints a table of the metrics by area.
"""

from collections import Counter
from collections.abc import Iterator
from operator import add
from typing import Any

import pytest
from attrs import define, field, frozen

_MARK = "robustness"
_METRIC = "metric"


@frozen
class Length:
    """How many cases to run: few in ``make test``, in ``make soak`` a multiple of all."""

    factor: float | None

    @property
    def is_soak(self) -> bool:
        """Whether this is ``make soak``, which has the machine to itself and checks times."""
        return self.factor is not None

    def __call__(self, *, short: int, full: int) -> int:
        return short if self.factor is None else max(1, round(full * self.factor))


@define
class Metrics:
    """What a test measured, and the bounds on it; of repeated values the worst is kept."""

    _is_soak: bool
    _values: dict[tuple[str, str], tuple[float, bool]] = field(init=False, factory=dict)

    def note(self, what: str, value: float) -> None:
        """Record a value without a bound."""
        self._values[what, ""] = value, True

    def at_most(self, what: str, value: float, bound: float, *, timed: bool = False) -> None:
        """Record a value with an upper bound, which only ``make soak`` checks if timed."""
        worst, _ = self._values.get(key := (what, f"at most {bound:g}"), (value, True))
        value = max(worst, value)
        self._values[key] = value, value <= bound or (timed and not self._is_soak)

    def at_least(self, what: str, value: float, bound: float, *, timed: bool = False) -> None:
        """Record a value with a lower bound, which only ``make soak`` checks if timed."""
        worst, _ = self._values.get(key := (what, f"at least {bound:g}"), (value, True))
        value = min(worst, value)
        self._values[key] = value, value >= bound or (timed and not self._is_soak)

    def rows(self) -> Iterator[tuple[str, float, str, bool]]:
        """Yield the name, value and bound of each metric, and whether the bound is kept."""
        for (what, bound), (value, kept) in self._values.items():
            yield what, value, bound, kept


class RobustnessReport:
    """The pytest plugin that prints the metrics."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: Counter[tuple[str, str]] = Counter()
        self._metrics: dict[tuple[str, str, str], tuple[float, bool]] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        for mark in item.iter_markers(_MARK):
            item.user_properties.append((_MARK, mark.args[0]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties: list[tuple[str, Any]] = report.user_properties
        for area in [value for name, value in properties if name == _MARK]:
            if report.when == "call" or report.failed:
                self._tests[area, report.outcome] += 1
            if report.when == "teardown":
                for what, value, bound, kept in (row for key, row in properties if key == _METRIC):
                    self._add((area, what, bound), value, kept=kept)

    def _add(self, key: tuple[str, str, str], value: float, *, kept: bool) -> None:
        """Keep the worst value of several tests, or the sum where there is no bound."""
        before, all_kept = self._metrics.get(key, (0.0 if not key[2] else value, True))
        combine = {"at most": max, "at least": min}.get(" ".join(key[2].split()[:2]), add)
        self._metrics[key] = combine(before, value), all_kept and kept

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not length_of(self._config).is_soak or not self._tests:
            return
        write = terminalreporter.write_line
        write(f"\n{'area':32} {'metric':44} {'value':>12}  bound")
        for area in dict.fromkeys(area for area, _ in self._tests):
            failed = self._tests[area, "failed"]
            write(_row(area, "tests passed", self._tests[area, "passed"], "", kept=True))
            if failed:
                write(_row(area, "tests failed", failed, "0", kept=False))
            for (its_area, what, bound), (value, kept) in self._metrics.items():
                if its_area == area:
                    write(_row(area, what, value, bound, kept=kept))


def _row(area: str, what: str, value: float, bound: str, *, kept: bool) -> str:
    return f"{area:32} {what:44} {value:12.6g}  {bound}{'' if kept else '  MISSED'}"


def length_of(config: pytest.Config) -> Length:
    return Length(config.getoption("--soak"))


@pytest.fixture
def length(pytestconfig: pytest.Config) -> Length:
    return length_of(pytestconfig)


@pytest.fixture
def metrics(request: pytest.FixtureRequest, length: Length) -> Iterator[Metrics]:
    """Record metrics of a test, which fails if a bound is missed."""
    metrics = Metrics(length.is_soak)
    yield metrics
    rows = list(metrics.rows())
    request.node.user_properties += [(_METRIC, row) for row in rows]
    missed = [f"{what}: {value:g}, {bound}" for what, value, bound, kept in rows if not kept]
    if missed:
        pytest.fail("missed: " + "; ".join(missed), pytrace=False)
