"""What an adapter's rooms rule out is declared as data, deselected and counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SUITE = """
import pytest
from contract.room_gateway import RoomGatewayContract

class TestThirdParty(RoomGatewayContract):
    differs = {{{name!r}: "its rooms have one state only"}}

    @pytest.fixture
    def rooms(self, remote_unmute): ...

    @pytest.fixture
    def gateway(self, rooms): ...
"""


def collect(folder: Path, *, differs: str) -> "subprocess.CompletedProcess[str]":
    suite = folder / "test_third_party.py"
    suite.write_text(SUITE.format(name=differs))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-c", "pyproject.toml"]
    command += ["-p", "tests.conftest", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout"]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # or it takes four times as long
    return subprocess.run(
        [*command, "--rootdir", ".", str(suite)],
        cwd=PROJECT,
        env=alone,
        capture_output=True,
        text=True,
        check=False,
    )


class TestDiffers:
    def test_leaves_out_what_it_names_and_says_why(self, tmp_path: Path) -> None:
        collected = collect(tmp_path, differs="test_unmutes")
        assert "DESELECTED [1] TestThirdParty differs: its rooms have one state only" in (
            collected.stdout
        )
        assert "::test_mutes\n" in collected.stdout
        assert "::test_unmutes\n" not in collected.stdout
        assert collected.returncode == pytest.ExitCode.OK

    def test_may_not_name_what_is_no_test(self, tmp_path: Path) -> None:
        collected = collect(tmp_path, differs="test_unmute")
        assert "TestThirdParty.differs names no test: ['test_unmute']" in collected.stderr
        assert collected.returncode == pytest.ExitCode.USAGE_ERROR
