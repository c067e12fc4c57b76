"""What watches over the tests: does it notice?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIGURES = """
import pytest

pytestmark = pytest.mark.campaign("trial")


def test_reaches(figures):
    figures.at_most("faults", 2, 2)
    figures.at_least("cases", 2, 2)
    figures.note("seen", 7)


def test_misses(figures):
    figures.at_most("losses", 3, 2)
    figures.at_most("losses", 1, 2)
    figures.at_least("answers", 9, 10)


def test_is_late(figures):
    figures.at_most("seconds", 3, 2, timed=True)


def test_goes_its_way(length, figures):
    figures.note("steps", length(short=1, full=40))
"""
FIGURES_CONFTEST = """
from tests.campaigns.figures import Campaigns, figures, length


def pytest_addoption(parser):
    parser.addoption("--soak", type=float)


def pytest_configure(config):
    config.addinivalue_line("markers", "campaign(name): one of many")
    config.pluginmanager.register(Campaigns(config))
"""
BLOCKING = """
import asyncio
from contextlib import suppress

from entrypoints.environment import Environment


async def read():
    with suppress(Exception):
        Environment({"FILE": __file__}).read_file("FILE", bytes, b"")


def test_blocks():
    asyncio.run(read())
"""


def judge(folder: Path, *arguments: str) -> str:
    """Run the tests in a folder as others are run, but for what is not on trial."""
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
    (tmp_path / "conftest.py").write_text(FIGURES_CONFTEST)
    (tmp_path / "test_trial.py").write_text(FIGURES)
    return tmp_path


class TestFigures:
    def test_that_are_missed_fail_their_test_but_for_a_clock_s(self, trial: Path) -> None:
        told = judge(trial, "-c", os.devnull, "--rootdir", str(trial))
        assert "4 passed, 1 error" in told
        assert "missed: losses: 3, at most 2; answers: 9, at least 10" in told
        assert "to reach" not in told

    def test_are_told_in_a_table_where_all_of_them_count(self, trial: Path) -> None:
        told = judge(trial, "-c", os.devnull, "--rootdir", str(trial), "--soak", "0.5")
        assert "4 passed, 2 errors" in told
        rows = [line.split() for line in told.splitlines() if line.startswith("trial ")]
        assert ["trial", "seconds", "3", "at", "most", "2", "MISSED"] in rows
        assert ["trial", "losses", "3", "at", "most", "2", "MISSED"] in rows
        assert ["trial", "cases", "2", "at", "least", "2"] in rows
        assert ["trial", "steps", "20"] in rows


def test_a_blocking_call_fails_its_test_though_its_error_is_caught(tmp_path: Path) -> None:
    (tmp_path / "test_blocks.py").write_text(BLOCKING)
    told = judge(tmp_path, "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "tests.blocking")
    assert "1 passed, 1 error" in told
    assert "holds up the event loop" in told
