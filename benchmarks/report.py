"""The results in words and in JSON, and against older ones."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import asdict

from benchmarks.figures import Life, Results, Runs, Spread
from benchmarks.goals import goals
from benchmarks.scenarios import SCENARIOS, Scenario

_COLUMNS: Mapping[str, tuple[str, int]] = {
    "requests_per_s": ("requests/s", 1),
    "p50_ms": ("p50 ms", 2),
    "p99_ms": ("p99 ms", 2),
    "cpu_us": ("own CPU us", 1),
    "livekit_calls": ("LiveKit calls", 3),
}
_BESIDE = {
    "livekit_cpu_us": "LiveKit's CPU a call",
    "load_cpu_us": "the load's CPU a request",
}
_RATIOS = {"cpu_us": "own CPU", "requests_per_s": "requests/s"}


def as_text(results: Results, *, older: Mapping[str, Any] | None = None) -> str:
    """Put the results in tables, as medians over the rounds, ratios with their extremes."""
    lines = [
        f"LiveKit: {results.livekit}; {results.rounds} rounds of {results.seconds:g} s each",
        *_table(results),
        *_ratios(results),
        *_growth(results),
        *(_life(results.life) if results.life else ()),
        "",
        "goals",
        *(f"  {goal}" for goal in goals(results)),
        *(_comparison(results.runs, older) if older else ()),
    ]
    return "\n".join(lines)


def as_json(results: Results) -> dict[str, Any]:
    """Put the results in a form that ``--compare`` reads, and that others may."""
    runs = results.runs
    shown = _shown(results)
    return {
        "livekit": results.livekit,
        "rounds": results.rounds,
        "seconds": results.seconds,
        "left_out": list(results.left_out),
        "medians": {
            f"{each.key}/{program}": {
                figure: runs.median(each.key, program, figure) for figure in (*_COLUMNS, *_BESIDE)
            }
            for each in shown
            for program in each.programs
        },
        "ratios": {
            each.key: {figure: _plain(runs.against_bare(each.key, figure)) for figure in _RATIOS}
            for each in shown
        },
        "growth": {each.key: _plain(runs.growth(each.key)) for each in shown if each.grows},
        "life": asdict(results.life) if results.life else None,
        "goals": {goal.name: goal.mark for goal in goals(results)},
        "runs": [asdict(run) for run in runs.all],
    }


def _plain(spread: Spread | None) -> dict[str, float] | None:
    return asdict(spread) if spread else None


def _shown(results: Results) -> list[Scenario]:
    return [each for each in SCENARIOS if each.key in results.scenarios]


def _table(results: Results) -> Iterator[str]:
    heads = "".join(f"{head:>15}" for head, _ in _COLUMNS.values())
    yield from ("", f"{'scenario':<32}{'program':<8}{heads}")
    for each in SCENARIOS:
        if each.key in results.left_out:
            yield f"{each.name:<32}left out"
    for each in _shown(results):
        for program in each.programs:
            medians = {name: results.runs.median(each.key, program, name) for name in _COLUMNS}
            cells = "".join(
                f"{_number(medians[name], digits):>15}" for name, (_, digits) in _COLUMNS.items()
            )
            yield f"{each.name:<32}{program:<8}{cells}"
    for figure, name in _BESIDE.items():
        first = _shown(results)[0]
        value = results.runs.median(first.key, "service", figure)
        yield f"{name}, {first.name}, us: {_number(value, 1)}"


def _ratios(results: Results) -> Iterator[str]:
    heads = "".join(f"{head:>26}" for head in _RATIOS.values())
    yield from ("", f"{'service / bare':<32}{heads}")
    for each in _shown(results):
        if "bare" in each.programs:
            spreads = [results.runs.against_bare(each.key, figure) for figure in _RATIOS]
            yield f"{each.name:<32}{''.join(f'{_spread(spread):>26}' for spread in spreads)}"


def _growth(results: Results) -> Iterator[str]:
    yield from ("", f"{'growth of own CPU':<32}{'to the first scenario':>26}")
    for each in _shown(results):
        if each.grows:
            yield f"{each.name:<32}{_spread(results.runs.growth(each.key)):>26}"


def _life(life: Life) -> Iterator[str]:
    yield ""
    yield f"start until GET / answers, s: {life.start_s:.3f} (imports {life.import_s:.3f})"
    yield (
        f"resident memory, MiB: {life.before_mib:.1f} at the start,"
        f" {life.after_mib:.1f} after {life.requests} requests"
    )


def _comparison(runs: Runs, older: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"{'against the older results':<56}{'now':>12}{'then':>12}{'change':>12}")
    for each in SCENARIOS:
        for program in each.programs:
            key = f"{each.key}/{program}"
            then = older["medians"].get(key, {}).get("cpu_us")
            name = f"{each.name}, {program}, own CPU us"
            yield from _change(name, runs.median(each.key, program, "cpu_us"), then)
        for figure, word in _RATIOS.items():
            now = runs.against_bare(each.key, figure)
            then = (older["ratios"].get(each.key, {}).get(figure) or {}).get("median")
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
