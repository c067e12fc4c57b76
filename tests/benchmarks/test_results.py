"""Medians over the rounds, ratios within them, and goals held to both."""

from attrs import evolve

from benchmarks.goals import goals
from benchmarks.report import as_json, as_text
from benchmarks.results import Results, Run, Runs, Spread
from benchmarks.scenarios import BASE

RUN = Run(
    scenario=BASE,
    program="service",
    round=0,
    requests=100,
    warm_up_requests=10,
    requests_per_s=1000.0,
    p50_ms=1.0,
    p99_ms=2.0,
    cpu_us=100.0,
    load_cpu_us=20.0,
    livekit_calls=2.0,
    livekit_cpu_us=30.0,
)


def rounds(*cpu_us: float, program: str = "service", scenario: str = BASE) -> list[Run]:
    return [
        evolve(RUN, round=number, cpu_us=each, program=program, scenario=scenario)
        for number, each in enumerate(cpu_us)
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
        runs = Runs((evolve(RUN, livekit_calls=None),))
        assert runs.median(BASE, "service", "livekit_calls") is None
        assert runs.median(BASE, "bare", "cpu_us") is None

    def test_take_ratios_round_by_round(self) -> None:
        runs = Runs((*rounds(10, 40, 90), *rounds(90, 40, 10, program="bare")[::-1]))
        expected = Spread(median=1.0, lowest=10 / 90, highest=9.0)
        assert runs.against_bare(BASE, "cpu_us") == expected

    def test_have_no_ratio_to_what_was_not_measured(self) -> None:
        assert Runs((RUN,)).against_bare(BASE, "cpu_us") is None

    def test_compare_growth_with_the_base_scenario(self) -> None:
        runs = Runs((*rounds(10, 20), *rounds(11, 24, scenario="participants")))
        assert runs.growth("participants") == Spread(median=1.15, lowest=1.1, highest=1.2)


class TestGoals:
    def test_are_marked(self) -> None:
        run = evolve(RUN, program="bare", cpu_us=200.0, requests_per_s=900.0)
        marks = [goal.mark for goal in goals(results(RUN, run))]
        assert marks == ["met", "MISSED", "MISSED", *5 * ["not measured"]]


class TestReport:
    def test_compares_with_older_results(self) -> None:
        older = as_json(results(*rounds(200.0), *rounds(400.0, program="bare")))
        now = results(*rounds(100.0), *rounds(400.0, program="bare"))
        assert "-50.0%" in as_text(now, older=older)

    def test_says_what_was_left_out(self) -> None:
        assert "skipped" in as_text(results(RUN))
