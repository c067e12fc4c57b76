"""The suite as a plugin of pytest: its options, its tests and its report.

Its tests are no functions of pytest's, so that it does not matter how the user's project has set
up pytest: which names it collects, how it imports, which plugins run coroutines.
"""

import importlib
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from attrs import define
from typing_extensions import override

from contract.rest import clauses
from contract.rest.broken import BrokenPromiseError, NotArrangedError, NotKnownError, NotSeenError
from contract.rest.clause import Clause, all_clauses, clauses_in
from contract.rest.endpoint import Endpoint
from contract.rest.options import add_options, endpoint_of, left_out
from contract.rest.report import BROKEN, KEPT, NOT_RUN, Report

_FOLDER = Path(clauses.__path__[0])
_RUN = pytest.StashKey["_Run"]()


@define(kw_only=True)
class _Run:
    report: Report
    endpoint: Endpoint | None


class ClauseItem(pytest.Item):
    """A clause as a test of pytest's, named by its number."""

    clause: Clause

    @override
    def runtest(self) -> None:
        endpoint = self.config.stash[_RUN].endpoint
        if endpoint is None:
            raise pytest.UsageError("no endpoint")
        self.clause.run(endpoint)

    @override
    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        return "\n".join([f"{self.name} {self.clause.promise}", *_told(excinfo.value)])

    @override
    def reportinfo(self) -> tuple[Path, int, str]:
        line = self.clause.check.__code__.co_firstlineno
        return self.path, line - 1, f"{self.name} {self.clause.promise}"


class ClauseFile(pytest.File):
    """A module of clauses."""

    @override
    def collect(self) -> Iterator[pytest.Item]:
        module = importlib.import_module(f"{clauses.__name__}.{self.path.stem}")
        for clause in clauses_in(module):
            item: ClauseItem = ClauseItem.from_parent(self, name=clause.number)
            item.clause = clause
            item.user_properties.append(("promise", clause.promise))
            yield item


def _told(error: BaseException) -> Iterator[str]:
    match error:
        case BrokenPromiseError():
            yield f"  sent:     {error.sent}"
            yield f"  expected: {error.expected}"
            yield f"  received: {error.received}"
        case NotKnownError():
            yield f"  not run:  {error}"
        case _:
            yield f"  not run, because of a bug in this suite: {type(error).__name__}: {error}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the command line before anything is collected."""
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("the clauses share one LiveKit double: run them without -n")
    every = {clause.number: clause.promise for clause in all_clauses()}
    report = Report(promises=every, left_out=left_out(config, set(every)))
    _check_markdown(config.getoption("--markdown"))
    needs_none = config.option.collectonly or config.option.help
    endpoint = None if needs_none else endpoint_of(config)
    config.stash[_RUN] = _Run(report=report, endpoint=endpoint)


def _check_markdown(path: str | None) -> None:
    if path and not Path(path).parent.is_dir():
        raise pytest.UsageError(f"--markdown {path}: there is no folder {Path(path).parent}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """End with one line where there is no server or no double to begin with."""
    endpoint = session.config.stash[_RUN].endpoint
    if endpoint is None:
        return
    try:
        endpoint.livekit.reset()
        with endpoint.connect(b""):
            pass
    except NotArrangedError as error:
        raise pytest.UsageError(f"{error}; start one: docs/rest-suite.md says how") from None
    except BrokenPromiseError as error:
        raise pytest.UsageError(f"--base-url: {error.received}") from None
    except NotSeenError as error:
        raise pytest.UsageError(f"--base-url: {error}") from None
    try:
        endpoint.livekit.call("ListRooms", {"roomList": True})
    except NotArrangedError as error:
        options = "--livekit-api-key, --livekit-api-secret"
        raise pytest.UsageError(f"{options}: {error}") from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the modules of clauses, whatever names the user's project collects."""
    if file_path.parent != _FOLDER or file_path.stem == "__init__" or file_path.suffix != ".py":
        return None
    file: ClauseFile = ClauseFile.from_parent(parent, path=file_path)
    return file


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the clauses that the server leaves out."""
    omitted = config.stash[_RUN].report.left_out
    config.hook.pytest_deselected(items=[item for item in items if item.name in omitted])
    items[:] = [item for item in items if item.name not in omitted]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the result of a clause."""
    if isinstance(item, ClauseItem) and call.when == "call":
        results = item.config.stash[_RUN].report.results
        error = call.excinfo.value if call.excinfo else None
        match error:
            case None:
                results[item.name] = KEPT, ""
            case BrokenPromiseError():
                results[item.name] = BROKEN, f"{error}; sent {error.sent}"
            case NotKnownError():
                results[item.name] = NOT_RUN, str(error)
            case _:
                results[item.name] = NOT_RUN, f"{type(error).__name__}: {error}"
    return (yield)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print how many clauses are kept, and write the table."""
    run = config.stash.get(_RUN, None)
    if run is None or run.endpoint is None:
        return
    for number, reason in run.report.left_out.items():
        terminalreporter.write_line(f"LEFT OUT {number}: {reason}")
    terminalreporter.write_line(run.report.summary())
    if path := config.getoption("--markdown"):
        run.report.write(Path(path), f"The REST suite on {run.endpoint.address.url.geturl()}")
