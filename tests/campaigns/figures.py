"""Campaigns: many cases of one kind, few of them among the tests and all in ``make soak``.

A campaign is the tests that ``@pytest.mark.campaign("its name")`` marks. What they measured, and
what they had to reach, is told in a table at the end.
"""

from collections import Counter
from collections.abc import Iterator
from operator import add
from typing import Any

import pytest
from attrs import define, field, frozen

_CAMPAIGN = "campaign"
_FIGURE = "figure"


@frozen
class Length:
    """How far campaigns go: a little among the tests, else so many times the whole way."""

    factor: float | None

    @property
    def soaks(self) -> bool:
        """Whether this is the long way, on a machine of its own, where times can be judged."""
        return self.factor is not None

    def __call__(self, *, short: int, full: int) -> int:
        return short if self.factor is None else max(1, round(full * self.factor))


@define
class Figures:
    """What a test measured, and what it had to reach; of a figure told again the worst counts."""

    _soaks: bool
    _told: dict[tuple[str, str], tuple[float, bool]] = field(init=False, factory=dict)

    def note(self, what: str, value: float) -> None:
        """Tell a figure that has nothing to reach."""
        self._told[what, ""] = value, True

    def at_most(self, what: str, value: float, bound: float, *, timed: bool = False) -> None:
        """Hold a figure to a bound; one that a clock gave only in ``make soak``."""
        worst, _ = self._told.get(key := (what, f"at most {bound:g}"), (value, True))
        value = max(worst, value)
        self._told[key] = value, value <= bound or (timed and not self._soaks)

    def at_least(self, what: str, value: float, bound: float, *, timed: bool = False) -> None:
        """Hold a figure to a bound; one that a clock gave only in ``make soak``."""
        worst, _ = self._told.get(key := (what, f"at least {bound:g}"), (value, True))
        value = min(worst, value)
        self._told[key] = value, value >= bound or (timed and not self._soaks)

    def rows(self) -> Iterator[tuple[str, float, str, bool]]:
        """Give what was measured, how much of it, what to reach, and whether it was."""
        for (what, bound), (value, held) in self._told.items():
            yield what, value, bound, held


class Campaigns:
    """The part of pytest that tells campaigns' figures."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cases: Counter[tuple[str, str]] = Counter()
        self._figures: dict[tuple[str, str, str], tuple[float, bool]] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        for mark in item.iter_markers(_CAMPAIGN):
            item.user_properties.append((_CAMPAIGN, mark.args[0]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: list[tuple[str, Any]] = report.user_properties
        names = [value for name, value in told if name == _CAMPAIGN]
        for name in names:
            if report.when == "call" or report.failed:
                self._cases[name, report.outcome] += 1
            if report.when == "teardown":
                for what, value, bound, held in (row for key, row in told if key == _FIGURE):
                    self._take_down((name, what, bound), value, held=held)

    def _take_down(self, key: tuple[str, str, str], value: float, *, held: bool) -> None:
        """Keep the worst of several tests' figures, and the sum of those that have no bound."""
        before, all_held = self._figures.get(key, (0.0 if not key[2] else value, True))
        combine = {"at most": max, "at least": min}.get(" ".join(key[2].split()[:2]), add)
        self._figures[key] = combine(before, value), all_held and held

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not length_of(self._config).soaks or not self._cases:
            return
        write = terminalreporter.write_line
        write(f"\n{'campaign':32} {'figure':44} {'measured':>12}  to reach")
        for name in dict.fromkeys(name for name, _ in self._cases):
            failed = self._cases[name, "failed"]
            write(_row(name, "tests passed", self._cases[name, "passed"], "", held=True))
            if failed:
                write(_row(name, "tests failed", failed, "0", held=False))
            for (campaign, what, bound), (value, held) in self._figures.items():
                if campaign == name:
                    write(_row(name, what, value, bound, held=held))


def _row(campaign: str, what: str, value: float, bound: str, *, held: bool) -> str:
    return f"{campaign:32} {what:44} {value:12.6g}  {bound}{'' if held else '  MISSED'}"


def length_of(config: pytest.Config) -> Length:
    return Length(config.getoption("--soak"))


@pytest.fixture
def length(pytestconfig: pytest.Config) -> Length:
    return length_of(pytestconfig)


@pytest.fixture
def figures(request: pytest.FixtureRequest, length: Length) -> Iterator[Figures]:
    """Take down a campaign's figures; a missed one fails the test."""
    figures = Figures(length.soaks)
    yield figures
    rows = list(figures.rows())
    request.node.user_properties += [(_FIGURE, row) for row in rows]
    missed = [f"{what}: {value:g}, {bound}" for what, value, bound, held in rows if not held]
    if missed:
        pytest.fail("missed: " + "; ".join(missed), pytrace=False)
