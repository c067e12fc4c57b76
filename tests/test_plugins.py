"""The pytest plugins that check the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

METRICS = """
import pytest

pytestmark = pytest.mark.robustness("trial")


def test_within_bounds(metrics):
    metrics.at_most("faults", 2, 2)
    metrics.at_least("cases", 2, 2)
    metrics.note("seen", 7)


def test_misses(metrics):
    metrics.at_most("losses", 3, 2)
    metrics.at_most("losses", 1, 2)
    metrics.at_least("answers", 9, 10)


def test_is_late(metrics):
    metrics.at_most("seconds", 3, 2, timed=True)


def test_has_a_length(length, metrics):
    metrics.note("steps", length(short=1, full=40))
"""
METRICS_CONFTEST = """
from tests.robustness.metrics import RobustnessReport, metrics, length


def pytest_addoption(parser):
    parser.addoption("--soak", type=float)


def pytest_configure(config):
    config.addinivalue_line("markers", "robustness(name): one of many")
    config.pluginmanager.register(RobustnessReport(config))
"""
BLOCKING = """
import asyncio
from contextlib import suppress

from entrypoints.settings.files import file


async def read():
    with suppress(Exception):
        file(bytes)(__file__)


def test_blocks():
    asyncio.run(read())
"""


def run_tests(folder: Path, *arguments: str) -> str:
    """Run the tests in a folder without our conftest and plugins."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, folder],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(METRICS_CONFTEST)
    (tmp_path / "test_trial.py").write_text(METRICS)
    return tmp_path


class TestMetrics:
    def test_that_are_missed_fail_their_test_unless_timed(self, trial: Path) -> None:
        outcome = run_tests(trial, "-c", os.devnull, "--rootdir", str(trial))
        assert "4 passed, 1 error" in outcome
        assert "missed: losses: 3, at most 2; answers: 9, at least 10" in outcome
        assert "metric" not in outcome.replace("metrics", "")

    def test_are_printed_in_soak_and_all_checked(self, trial: Path) -> None:
        outcome = run_tests(trial, "-c", os.devnull, "--rootdir", str(trial), "--soak", "0.5")
        assert "4 passed, 2 errors" in outcome
        rows = [line.split() for line in outcome.splitlines() if line.startswith("trial ")]
        assert ["trial", "seconds", "3", "at", "most", "2", "MISSED"] in rows
        assert ["trial", "losses", "3", "at", "most", "2", "MISSED"] in rows
        assert ["trial", "cases", "2", "at", "least", "2"] in rows
        assert ["trial", "steps", "20"] in rows


def test_a_blocking_call_fails_its_test_though_its_error_is_caught(tmp_path: Path) -> None:
    (tmp_path / "test_blocks.py").write_text(BLOCKING)
    outcome = run_tests(
        tmp_path, "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "tests.support.blocking"
    )
    assert "1 passed, 1 error" in outcome
    assert "blocks the event loop" in outcome
