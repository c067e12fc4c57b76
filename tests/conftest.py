"""What tests of every room share: the choice of a real LiveKit server, and what is left out."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

pytest.register_assert_rewrite("contract.room_gateway")

from tests import kept_secrets  # noqa: E402 - see above
from tests.blocking import blocking_calls_fail, nothing_blocks  # noqa: E402 - see above
from tests.campaigns.figures import Campaigns, figures, length, length_of  # noqa: E402 - see above
from tests.command import Run  # noqa: E402 - see above
from tests.livekit_server import LiveKitServer, run_livekit_server  # noqa: E402 - see above

__all__ = ["blocking_calls_fail", "figures", "length", "nothing_blocks"]

_LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--livekit-server",
        type=Path,
        metavar="PATH",
        default=os.environ.get("LIVEKIT_SERVER") or None,
        help="a LiveKit server's binary, to run the tests that need one (also: LIVEKIT_SERVER)",
    )
    parser.addoption(
        "--soak",
        type=float,
        metavar="FACTOR",
        help="run campaigns at so many times their full length, times judged too, and tell figures",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Campaigns(config))
    config.pluginmanager.register(kept_secrets)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = [_why_left_out(item, config) for item in items]
    left_out = [item for item, reason in zip(items, reasons, strict=True) if reason]
    config.stash[_LEFT_OUT] = Counter(reason for reason in reasons if reason)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item, reason in zip(items, reasons, strict=True) if not reason]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, number in config.stash.get(_LEFT_OUT, Counter()).items():
        terminalreporter.write_line(f"LEFT OUT [{number}] {reason}")


def _why_left_out(item: pytest.Item, config: pytest.Config) -> str:
    if item.get_closest_marker("livekit_server") and not config.getoption("--livekit-server"):
        return "needs a real LiveKit server: --livekit-server=PATH"
    if item.get_closest_marker("soak") and not length_of(config).soaks:
        return "takes long, or judges times: make soak"
    if not isinstance(item, pytest.Function) or item.cls is None:
        return ""
    differs: Mapping[str, str] = getattr(item.cls, "differs", {})
    unknown = [name for name in differs if not hasattr(item.cls, name)]
    if unknown:
        raise pytest.UsageError(f"{item.cls.__name__}.differs names no test: {unknown}")
    reason = differs.get(item.originalname)
    return f"{item.cls.__name__} differs: {reason}" if reason else ""


@pytest.fixture(scope="session")
def livekit_server(pytestconfig: pytest.Config) -> Iterator[Callable[[bool], LiveKitServer]]:
    """Real LiveKit servers with remote unmute on or off, each started when first asked for."""
    binary = pytestconfig.getoption("--livekit-server")
    with ExitStack() as running:

        @cache
        def server(remote_unmute: bool) -> LiveKitServer:
            return running.enter_context(run_livekit_server(binary, remote_unmute=remote_unmute))

        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.end()
