"""No command loads what it does not need; a second of imports is a second that a person waits."""

import json
import subprocess
import sys

import pytest

from tests.support.command import TIMEOUT_S, environment
from tests.support.imports import PROJECT

LOADED = """
import json, sys
from entrypoints.command import run_command
assert run_command(sys.argv[1:]) == 0
print(json.dumps([*sys.modules]))
"""
HEAVY = {"aiohttp", "cryptography", "dependency_injector", "google", "jwt", "livekit", "yarl"}
OF_SERVING = {
    "adapters.identity",
    "aiohttp.web",
    "cattrs",
    "entrypoints.container",
    "entrypoints.http",
    "structlog",
    "uvloop",
}
TRACKS = ["tracks", "demo-room", "--gateway", "in-memory"]
AUDIT = ["audit", "/dev/null"]
MUTE = ["mute", "demo-room", "alice", "TR_demo_mic", "--gateway", "in-memory"]


def loaded(arguments: list[str], program: str = LOADED) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return {*json.loads(done.stdout.splitlines()[-1])}


LIVE = """
import json, sys
from entrypoints.command import run_command
run_command(["check", "--live"])
print(json.dumps([*sys.modules]))
"""


class TestCommands:
    @pytest.mark.parametrize(
        "arguments", [["--help"], ["--version"], ["mute", "-h"], ["secret"], AUDIT]
    )
    def test_that_need_no_rooms_load_nothing_heavy(self, arguments: list[str]) -> None:
        assert loaded(arguments) & (HEAVY | OF_SERVING | {"asyncio"}) == set()

    def test_a_health_check_loads_nothing_heavy(self) -> None:
        assert loaded([], LIVE) & (HEAVY | OF_SERVING | {"asyncio"}) == set()

    @pytest.mark.parametrize("arguments", [TRACKS, MUTE])
    def test_that_need_rooms_load_nothing_of_serving(self, arguments: list[str]) -> None:
        modules = loaded(arguments)
        assert modules & OF_SERVING == set()
        assert "dependency_injector" in modules  # so the names above are those of modules
