"""Measure the service beside a minimal handler, print tables, and write JSON.

``python -m benchmarks`` runs each round in pairs: the service and the handler in turns of a
fraction of a second, in alternating order.
"""

import argparse
import json
import resource
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from urllib.parse import urlsplit

from benchmarks.callgrind import CannotCountError, check_installed
from benchmarks.load import LoadFailedError
from benchmarks.measure import measure
from benchmarks.processes import ProgramFailedError
from benchmarks.report import as_json, as_text
from benchmarks.results import ProcessMetrics, Results, Run, Runs
from benchmarks.scenarios import (
    BASE,
    ONE_CONNECTION,
    SCENARIOS,
    SECRET_OF_OWNER,
    Scenario,
)
from benchmarks.servers import Keys, Servers
from benchmarks.startup import import_s, start_s
from benchmarks.targets import OWNER


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return 1 if an answer was wrong or a program failed."""
    arguments = _arguments(argv)
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    signal.signal(signal.SIGTERM, _exit)
    try:
        if arguments.instructions:
            check_installed()
        with TemporaryDirectory() as folder, ExitStack() as running:
            results = _run(_servers(arguments, Path(folder), running), arguments)
    except (CannotCountError, LoadFailedError, ProgramFailedError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    print(as_text(results, older=arguments.compare))
    arguments.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.instructions:
        parser.set_defaults(only=[ONE_CONNECTION, BASE], rounds=3, seconds=10.0)
        arguments = parser.parse_args(argv)
    if arguments.livekit_url and not (arguments.api_key and arguments.api_secret):
        parser.error("--livekit-url needs --api-key and --api-secret")
    if arguments.program and not arguments.livekit_url:
        parser.error("--program needs --livekit-url: the program must reach the same rooms")
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--instructions",
        action="store_true",
        help="count instructions per request instead of times, with valgrind",
    )
    mode.add_argument(
        "--program",
        type=_url,
        metavar="URL",
        help="another server of the endpoint, to be measured in turn. Start it before, with the"
        f" LiveKit of --livekit-url and the API secret {SECRET_OF_OWNER!r} of tenant {OWNER!r}",
    )
    parser.add_argument("--livekit-url", help="a real LiveKit server, instead of a double")
    parser.add_argument("--api-key", default="", help="its API key")
    parser.add_argument("--api-secret", default="", help="the key's secret")
    parser.add_argument(
        "--participants",
        type=int,
        help="in the room with many; default: 1000, or 100 with --livekit-url",
    )
    parser.add_argument("--compare", type=_results, metavar="OLDER.json", help="earlier results")
    parser.add_argument("--json", type=Path, metavar="OUT.json", default=Path("bench.json"))
    parser.add_argument(
        "--rounds", type=int, default=9, help="default: 9, or 3 with --instructions"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.8,
        help="duration of each run; default: 0.8, or 10 with --instructions",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="SCENARIO",
        choices=[each.key for each in SCENARIOS],
        help=f"one or more of {', '.join(each.key for each in SCENARIOS)};"
        f" default: all, or {ONE_CONNECTION} and {BASE} with --instructions",
    )
    return parser


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path.strip("/"):
        raise argparse.ArgumentTypeError("must be http://HOST:PORT")
    return value


def _results(path: str) -> dict[str, Any]:
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"no results: {error}") from None


def _servers(arguments: argparse.Namespace, folder: Path, running: ExitStack) -> Servers:
    url, participants = arguments.livekit_url, arguments.participants
    if participants is None:
        participants = 100 if url else 1000
    return Servers(
        keys=Keys(url=url, api_key=arguments.api_key, api_secret=arguments.api_secret)
        if url
        else Keys(),
        participants=participants,
        folder=folder,
        running=running,
        other_url=arguments.program,
        counted=arguments.instructions,
    )


def _exit(number: int, _: object) -> NoReturn:
    """Exit by an exception, so that the processes are stopped."""
    sys.exit(128 + number)


def _run(servers: Servers, arguments: argparse.Namespace) -> Results:
    asked = [each for each in SCENARIOS if not arguments.only or each.key in arguments.only]
    scenarios = [each for each in asked if servers.can_run(each)]
    for each in scenarios:
        for program in () if each.starts_anew else servers.programs(each):
            servers.measured(program, each.variant)
    whole = not arguments.only
    before_mib = servers.program("service", "usual").resident_mib if whole else 0.0
    runs = tuple(_rounds(servers, scenarios, arguments.rounds, arguments.seconds))
    return Results(
        livekit=servers.keys.url or "the double",
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        scenarios=tuple(each.key for each in scenarios),
        skipped=tuple(each.key for each in asked if each not in scenarios),
        runs=Runs(runs),
        process=_process_metrics(servers, runs, before_mib) if whole else None,
    )


def _rounds(
    servers: Servers, scenarios: Sequence[Scenario], rounds: int, seconds: float
) -> Iterable[Run]:
    for round_ in range(rounds):
        sys.stderr.write(f"round {round_ + 1} of {rounds}\n")
        turn = -1 if round_ % 2 else 1  # alternate, so that no program is always first
        for scenario in scenarios[::turn]:
            programs = servers.programs(scenario)[::turn]
            yield from measure(servers, scenario, programs, round_=round_, seconds=seconds)


def _process_metrics(servers: Servers, runs: Sequence[Run], before_mib: float) -> ProcessMetrics:
    usual = {each.key for each in SCENARIOS if each.variant == "usual" and not each.starts_anew}
    served = [run for run in runs if run.program == "service" and run.scenario in usual]
    return ProcessMetrics(
        before_mib=before_mib,
        after_mib=servers.program("service", "usual").resident_mib,
        requests=sum(run.warm_up_requests + run.requests for run in served),
        start_s=start_s(servers),
        import_s=import_s(),
    )


if __name__ == "__main__":
    sys.exit(main())
