"""What all tests share: options, the tests that are deselected, and timeouts."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from tests.robustness.metrics import RobustnessReport, length, length_of, metrics
from tests.support import secret_scan
from tests.support.blocking import blocking_calls_fail, nothing_blocks
from tests.support.command import Run
from tests.support.livekit_cluster import LiveKitCluster, run_livekit_cluster
from tests.support.livekit_server import LiveKitServer, run_livekit_server, version_of
from tests.support.namespaces import may_mount, may_unshare
from tests.support.redis_server import RedisServer, run_redis
from tests.support.timeouts import scale_timeout
from tests.support.wheel import wheel

__all__ = ["blocking_calls_fail", "length", "metrics", "nothing_blocks", "wheel"]

T = TypeVar("T")

settings.register_profile("without deadlines", deadline=None)  # a busy machine is no failure
settings.load_profile("without deadlines")

_NEEDED = {
    "browser": ("CHROMIUM", "Chromium and its driver (make test-browser)"),
    "json_test_suite": ("JSON_TEST_SUITE", "a checkout of the JSON test suite"),
    "livekit_agents": ("LIVEKIT_AGENTS_PYTHON", "a Python with livekit-agents"),
    "livekit_sdks": ("LIVEKIT_SDKS", "LiveKit's SDKs for JavaScript and Go (make test-sdks)"),
}
"""What the tests with a marker need, and the variable that names it."""

_PROGRAMS = {
    "caddy": (("caddy",), "Caddy 2.11 on PATH, or make tools"),
    "compose": (("compose-go",), "what docker compose reads files with: make tools"),
    "image": (
        ("buildah", "debootstrap", "systemd-nspawn", "unshare"),
        "to build an image: apt-get install buildah debootstrap systemd-container",
    ),
    "kustomize": (("kustomize",), "kustomize on PATH, or make tools"),
    "nginx": (("nginx",), "nginx: apt-get install nginx-light"),
    "prometheus": (
        ("prometheus", "promtool"),
        "prometheus and promtool: apt-get install prometheus",
    ),
    "systemd": (("systemd-analyze",), "systemd-analyze: apt-get install systemd"),
}
"""The programs that the tests with a marker need on PATH, and where they are from."""

_DESELECTED = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--livekit-server",
        type=Path,
        metavar="PATH",
        default=os.environ.get("LIVEKIT_SERVER") or None,
        help="a LiveKit server's binary, to run the tests that need one (also: LIVEKIT_SERVER)",
    )
    parser.addoption(
        "--redis-server",
        type=Path,
        metavar="PATH",
        default=os.environ.get("REDIS_SERVER") or shutil.which("redis-server"),
        help="a Redis server's binary, for rates that processes share, and two LiveKit servers"
        " (also: REDIS_SERVER; by default the one on PATH)",
    )
    parser.addoption(
        "--soak",
        type=float,
        metavar="FACTOR",
        help="multiply the robustness tests' full length, check times too, and print metrics",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RobustnessReport(config))
    config.pluginmanager.register(secret_scan)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = [_why_deselected(item, config) for item in items]
    deselected = [item for item, reason in zip(items, reasons, strict=True) if reason]
    counted = config.stash[_DESELECTED] = Counter(reason for reason in reasons if reason)
    if hasattr(config, "workeroutput"):  # of pytest-xdist, which collects in its workers only
        config.workeroutput["deselected"] = dict(counted)
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item, reason in zip(items, reasons, strict=True) if not reason]
    for item in items:
        scale_timeout(item)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist deselected; each collects the same tests."""
    deselected: dict[str, int] = getattr(node, "workeroutput", {}).get("deselected", {})
    node.config.stash[_DESELECTED] = Counter(deselected)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, number in config.stash.get(_DESELECTED, Counter()).items():
        terminalreporter.write_line(f"DESELECTED [{number}] {reason}")


def _why_deselected(item: pytest.Item, config: pytest.Config) -> str:
    if reason := _why_not_on_livekit(item, config):
        return reason
    for marker, (variable, needed) in _NEEDED.items():
        if item.get_closest_marker(marker) and not os.environ.get(variable):
            return f"needs {needed}: {variable}=PATH"
    if missing := _missing_programs(item, config):
        return missing
    if item.get_closest_marker("unshare") and not may_unshare():
        return "needs util-linux's unshare, and the permission to make namespaces"
    if item.get_closest_marker("soak") and not length_of(config).is_soak:
        return "takes long, or checks times: make soak"
    return ""


def _missing_programs(item: pytest.Item, config: pytest.Config) -> str:
    if item.get_closest_marker("redis") and not config.getoption("--redis-server"):
        return "needs a real Redis server: apt-get install redis-server"
    if item.get_closest_marker("janus") and not (shutil.which("janus") and find_spec("aiortc")):
        return "needs Janus and aiortc: apt-get install janus, pip install aiortc"
    for marker, (programs, needed) in _PROGRAMS.items():
        if item.get_closest_marker(marker) and not all(map(shutil.which, programs)):
            return f"needs {needed}"
    if item.get_closest_marker("image") and not may_mount():
        return "needs the permission to mount, to build an image"
    return ""


def _why_not_on_livekit(item: pytest.Item, config: pytest.Config) -> str:
    cluster = item.get_closest_marker("livekit_cluster")
    server = cluster or item.get_closest_marker("livekit_server")
    if server and not config.getoption("--livekit-server"):
        return "needs a real LiveKit server: --livekit-server=PATH"
    if cluster and not config.getoption("--redis-server"):
        return "needs two LiveKit servers joined by Redis: --redis-server=PATH"
    since = item.get_closest_marker("livekit_since")
    if server and since and version_of(config.getoption("--livekit-server")) < since.args:
        return f"needs LiveKit {'.'.join(map(str, since.args))}, not an older one"
    return ""


@pytest.fixture(scope="session")
def livekit_server(pytestconfig: pytest.Config) -> Iterator[Callable[..., LiveKitServer]]:
    """Real LiveKit servers, each started when first asked for.

    They are asked for by ``remote_unmute``, and optionally by further ``sections`` of LiveKit's
    configuration, for instance ``{"api": {...}}``.
    """
    binary = pytestconfig.getoption("--livekit-server")
    with _started_once(partial(run_livekit_server, binary)) as server:
        yield server


@pytest.fixture(scope="session")
def livekit_cluster(pytestconfig: pytest.Config) -> Iterator[Callable[..., LiveKitCluster]]:
    """Real LiveKit clusters of two nodes with Redis, asked for like the single servers."""
    livekit, redis = map(pytestconfig.getoption, ("--livekit-server", "--redis-server"))
    with _started_once(partial(run_livekit_cluster, livekit, redis)) as cluster:
        yield cluster


@pytest.fixture
def redis_server(pytestconfig: pytest.Config) -> Iterator[RedisServer]:
    """A real Redis server of the test's own."""
    with run_redis(pytestconfig.getoption("--redis-server")) as server:
        yield server


@contextmanager
def _started_once(
    run: Callable[..., AbstractContextManager[T]],
) -> Iterator[Callable[..., T]]:
    """Provide a function that enters what runs, once for each configuration."""
    started: dict[str, T] = {}
    with ExitStack() as running:

        def start(remote_unmute: bool, sections: Mapping[str, Any] | None = None) -> T:
            key = json.dumps((remote_unmute, sections))
            if key not in started:
                running_one = run(remote_unmute=remote_unmute, sections=sections)
                started[key] = running.enter_context(running_one)
            return started[key]

        yield start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.end()
