"""The results as tables, as JSON, and compared with earlier results."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import asdict

from benchmarks.goals import goals
from benchmarks.results import RATIOS, ProcessMetrics, Results, Runs, Spread
from benchmarks.scenarios import SCENARIOS, Program, Scenario

_COLUMNS: Mapping[str, tuple[str, int]] = {
    "requests_per_s": ("requests/s", 1),
    "p50_ms": ("p50 ms", 2),
    "p99_ms": ("p99 ms", 2),
    "cpu_us": ("own CPU us", 1),
    "instructions": ("instructions", 0),
    "livekit_calls": ("LiveKit calls", 3),
    "livekit_cpu_us": ("LiveKit CPU us", 1),
    "load_cpu_us": ("load CPU us", 1),
}


def as_text(results: Results, *, older: Mapping[str, Any] | None = None) -> str:
    """Format the results as tables: ratios with minimum and maximum, medians over the rounds."""
    lines = [
        f"LiveKit: {results.livekit}; {results.rounds} rounds of {results.seconds:g} s each",
        "",
        "ratios within the pairs of runs: median (lowest to highest)",
        "less is better, except for requests/s; bare: benchmarks/bare.py, other: --program,",
        "unmetered: the service without metrics",
        *_ratios(results, "bare"),
        *_ratios(results, "unmetered"),
        *_ratios(results, "other"),
        *_table(results),
        *_growth(results),
        *(_process_metrics(results.process) if results.process else ()),
        "",
        "goals",
        *(f"  {goal}" for goal in goals(results) if goal.measured is not None),
        *(_comparison(results.runs, older) if older else ()),
    ]
    return "\n".join(lines)


def as_json(results: Results) -> dict[str, Any]:
    """Convert the results to JSON, which ``--compare`` reads."""
    runs = results.runs
    shown = _shown(results)
    return {
        "livekit": results.livekit,
        "rounds": results.rounds,
        "seconds": results.seconds,
        "skipped": list(results.skipped),
        "medians": {
            f"{each.key}/{program}": {
                metric: runs.median(each.key, program, metric) for metric in _COLUMNS
            }
            for each in shown
            for program in _programs(results, each)
        },
        "ratios": _ratios_as_json(results, "bare"),
        "ratios_to_unmetered": _ratios_as_json(results, "unmetered"),
        "ratios_to_other": _ratios_as_json(results, "other"),
        "growth": {each.key: _plain(runs.growth(each.key)) for each in shown if each.grows},
        "process": asdict(results.process) if results.process else None,
        "goals": {goal.name: goal.mark for goal in goals(results)},
        "runs": [asdict(run) for run in runs.all],
    }


def _ratios_as_json(results: Results, program: str) -> dict[str, Any]:
    return {
        each.key: {
            metric: _plain(results.runs.against(program, each.key, metric)) for metric in RATIOS
        }
        for each in _shown(results)
    }


def _plain(spread: Spread | None) -> dict[str, float] | None:
    return asdict(spread) if spread else None


def _shown(results: Results) -> list[Scenario]:
    return [each for each in SCENARIOS if each.key in results.scenarios]


def _programs(results: Results, scenario: Scenario) -> list[Program]:
    return [each for each in scenario.programs if results.runs.of(scenario.key, each)]


def _ratios(results: Results, program: str) -> Iterator[str]:
    runs = results.runs
    rows = [each for each in _shown(results) if program in _programs(results, each)]
    metrics = [metric for metric in RATIOS if runs.measured(metric, program)]
    if rows:
        heads = "".join(f"{RATIOS[metric]:>26}" for metric in metrics)
        yield f"{f'service / {program}':<32}{heads}"
    for each in rows:
        spreads = [_spread(runs.against(program, each.key, metric)) for metric in metrics]
        yield f"{each.name:<32}{''.join(f'{spread:>26}' for spread in spreads)}"


def _table(results: Results) -> Iterator[str]:
    """Format the medians, with a column for each metric that was measured at all."""
    runs = results.runs
    columns = {name: each for name, each in _COLUMNS.items() if runs.measured(name)}
    heads = "".join(f"{head:>{len(head) + 3}}" for head, _ in columns.values())
    yield from ("", "medians; CPU, instructions and calls for each request")
    yield f"{'scenario':<32}{'program':<10}{heads}"
    for each in SCENARIOS:
        if each.key in results.skipped:
            yield f"{each.name:<32}skipped"
    for each in _shown(results):
        for program in _programs(results, each):
            cells = "".join(
                f"{_number(runs.median(each.key, program, name), digits):>{len(head) + 3}}"
                for name, (head, digits) in columns.items()
            )
            yield f"{each.name:<32}{program:<10}{cells}"


def _growth(results: Results) -> Iterator[str]:
    runs = results.runs
    rows = [each for each in _shown(results) if each.grows and runs.growth(each.key)]
    if rows:
        yield from ("", f"{'growth of own CPU':<32}{'to 32 connections':>26}")
    for each in rows:
        yield f"{each.name:<32}{_spread(runs.growth(each.key)):>26}"


def _process_metrics(process: ProcessMetrics) -> Iterator[str]:
    yield ""
    yield f"start until GET / answers, s: {process.start_s:.3f} (imports {process.import_s:.3f})"
    yield (
        f"resident memory, MiB: {process.before_mib:.1f} at the start,"
        f" {process.after_mib:.1f} after {process.requests} requests"
    )


def _comparison(runs: Runs, older: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"{'compared with earlier results':<56}{'now':>12}{'before':>12}{'change':>12}")
    for each in SCENARIOS:
        for program in each.programs:
            key = f"{each.key}/{program}"
            for metric in ("cpu_us", "instructions"):
                then = older["medians"].get(key, {}).get(metric)
                name = f"{each.name}, {program}, {_COLUMNS[metric][0]}"
                yield from _change(name, runs.median(each.key, program, metric), then)
        for metric, word in RATIOS.items():
            now = runs.against("bare", each.key, metric)
            then = (older["ratios"].get(each.key, {}).get(metric) or {}).get("median")
            yield from _change(f"{each.name}, ratio of {word}", now.median if now else None, then)


def _change(name: str, now: float | None, then: float | None) -> Iterator[str]:
    if now is not None and then:
        yield f"{name:<56}{now:>12.2f}{then:>12.2f}{100 * (now / then - 1):>+11.1f}%"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return f"{spread.median:.2f} ({spread.lowest:.2f} to {spread.highest:.2f})"
