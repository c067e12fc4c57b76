"""Medians over the rounds, ratios within their pairs, and goals held to both."""

from functools import partial

import pytest
from attrs import evolve

from benchmarks.goals import goals
from benchmarks.report import as_json, as_text
from benchmarks.results import ProcessMetrics, Results, Run, Runs, Spread
from benchmarks.scenarios import BASE, METRICS, METRICS_ONE_CONNECTION, ONE_CONNECTION

RUN = Run(scenario=BASE, program="service", round=0, requests=100, warm_up_requests=10, metrics={})


def rounds(
    *values: float, metric: str = "cpu_us", program: str = "service", scenario: str = BASE
) -> list[Run]:
    return [
        evolve(RUN, round=number, metrics={metric: each}, program=program, scenario=scenario)
        for number, each in enumerate(values)
    ]


def results(*runs: Run) -> Results:
    return Results(
        livekit="the double",
        rounds=3,
        seconds=1.0,
        scenarios=(BASE, "participants"),
        skipped=("10000-rooms",),
        runs=Runs(runs),
        process=None,
    )


class TestRuns:
    def test_take_the_median_over_the_rounds(self) -> None:
        assert Runs((*rounds(1, 9, 2),)).median(BASE, "service", "cpu_us") == 2

    def test_have_no_median_of_what_was_not_measured(self) -> None:
        runs = Runs((*rounds(1),))
        assert runs.median(BASE, "service", "livekit_calls") is None
        assert runs.median(BASE, "bare", "cpu_us") is None

    def test_take_ratios_pair_by_pair(self) -> None:
        runs = Runs((*rounds(10, 40, 90), *rounds(90, 40, 10, program="bare")[::-1]))
        expected = Spread(median=1.0, lowest=10 / 90, highest=9.0)
        assert runs.against("bare", BASE, "cpu_us") == expected

    def test_have_no_ratio_to_what_was_not_measured(self) -> None:
        runs = Runs((*rounds(1), *rounds(2, program="other", metric="p50_ms")))
        assert runs.against("bare", BASE, "cpu_us") is None
        assert runs.against("other", BASE, "cpu_us") is None

    def test_compare_growth_with_the_base_scenario(self) -> None:
        runs = Runs((*rounds(10, 20), *rounds(11, 24, scenario="participants")))
        assert runs.growth("participants") == Spread(median=1.15, lowest=1.1, highest=1.2)


def marks(*runs: Run) -> dict[str, str]:
    return {goal.name: goal.mark for goal in goals(results(*runs)) if goal.mark != "not measured"}


class TestGoals:
    def test_are_not_measured_at_first(self) -> None:
        assert len(goals(results())) == 18
        assert marks() == {}

    @pytest.mark.parametrize(
        ("metric", "program", "scenario", "met", "missed"),
        [
            ("cpu_us", "bare", BASE, 0.40, 0.41),
            ("cpu_us", "bare", ONE_CONNECTION, 0.55, 0.56),
            ("requests_per_s", "bare", BASE, 2.0, 1.9),
            ("p50_ms", "bare", ONE_CONNECTION, 0.75, 0.76),
            ("instructions", "bare", BASE, 0.36, 0.37),
            ("cpu_us", "unmetered", METRICS, 1.03, 1.04),
            ("cpu_us", "unmetered", METRICS_ONE_CONNECTION, 1.03, 1.04),
            ("instructions", "unmetered", METRICS, 1.03, 1.04),
            ("instructions", "unmetered", METRICS_ONE_CONNECTION, 1.03, 1.04),
            ("requests_per_s", "other", BASE, 1.0, 0.9),
            ("requests_per_s", "other", "participants", 1.0, 0.9),
            ("p50_ms", "other", ONE_CONNECTION, 1.25, 1.26),
        ],
    )
    def test_are_held_to_ratios(
        self, metric: str, program: str, scenario: str, met: float, missed: float
    ) -> None:
        beside = rounds(1.0, metric=metric, program=program, scenario=scenario)
        good = rounds(met, metric=metric, scenario=scenario)
        bad = rounds(missed, metric=metric, scenario=scenario)
        assert list(marks(*good, *beside).values()) == ["met"]
        assert list(marks(*bad, *beside).values()) == ["MISSED"]

    @pytest.mark.parametrize(
        ("metric", "scenario", "met", "missed"),
        [
            ("livekit_calls", BASE, 1.2, 1.3),
            ("livekit_calls", ONE_CONNECTION, 2.0, 2.1),
            ("livekit_calls", "no-id", 1.0, 0.9),
            ("p99_ms", "absent", 250.0, 251.0),
        ],
    )
    def test_are_held_to_medians(
        self, metric: str, scenario: str, met: float, missed: float
    ) -> None:
        good = rounds(met, metric=metric, scenario=scenario)
        bad = rounds(missed, metric=metric, scenario=scenario)
        assert list(marks(*good).values()) == ["met"]
        assert list(marks(*bad).values()) == ["MISSED"]

    def test_are_held_to_start_and_memory(self) -> None:
        process = ProcessMetrics(
            start_s=1.0, import_s=0.5, before_mib=50.0, after_mib=101.0, requests=1
        )
        measured = goals(evolve(results(), process=process))[-2:]
        assert [goal.mark for goal in measured] == ["met", "MISSED"]


class TestReport:
    def test_compares_with_older_results(self) -> None:
        older = as_json(results(*rounds(200.0), *rounds(400.0, program="bare")))
        now = results(*rounds(100.0), *rounds(400.0, program="bare"))
        assert "-50.0%" in as_text(now, older=older)

    def test_says_what_was_left_out(self) -> None:
        assert "skipped" in as_text(results(*rounds(1.0)))

    def test_leaves_out_goals_that_were_not_measured(self) -> None:
        text = as_text(results(*rounds(1.0, metric="livekit_calls", scenario="no-id")))
        _, heading, goals_of_calls = text.partition("\ngoals\n")
        assert heading
        assert goals_of_calls == "  LiveKit calls per request, no id: 1.000, exactly 1: met"

    def test_has_a_column_only_for_what_was_measured(self) -> None:
        times = as_text(results(*rounds(1.0), *rounds(1.0, program="bare")))
        counted = rounds(1.0, metric="instructions")
        text = as_text(results(*counted, *rounds(1.0, metric="instructions", program="bare")))
        assert "own CPU us" in times
        assert "own CPU us" not in text

    def test_has_ratios_to_another_program_if_there_is_one(self) -> None:
        speed = partial(rounds, metric="requests_per_s")
        runs = (*speed(300.0), *speed(200.0, program="bare"))
        alone = results(*runs)
        both = results(*runs, *speed(100.0, program="other"))
        heads = f"\n{'service / other':<32}{'requests/s':>26}\n"
        assert "service / other  " not in as_text(alone)
        assert heads in as_text(both)
        assert f"{'3.00 (3.00 to 3.00)':>26}" in as_text(both)
        assert as_json(both)["ratios_to_other"][BASE]["requests_per_s"]["median"] == 3.0
