"""Signals at any instant end a command in silence."""

import signal
import sys

import pytest

from entrypoints.cli.exit_status import ExitStatus
from tests.support.command import run

SIGNALLED = (sys.executable, "-m", "tests.support.signalled")
TRACKS = ("tracks", "demo-room", "--gateway", "in-memory")
INSTANTS = 6


@pytest.fixture(scope="module")
def calls() -> int:
    """How many calls of functions the command makes."""
    counted = run(*TRACKS, command=[*SIGNALLED, "count", "_prepare_streams", "_exit"])
    return int(counted.stdout.splitlines()[-1])


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "status"),
        [
            (signal.SIGINT, ExitStatus.INTERRUPTED),
            (signal.SIGTERM, ExitStatus.TERMINATED),
        ],
    )
    def test_end_the_command_in_silence(
        self, number: signal.Signals, status: ExitStatus, calls: int
    ) -> None:
        wrong = {}
        for instant in range(0, calls, calls // INSTANTS):
            once = [*SIGNALLED, str(int(number)), "_prepare_streams", str(instant)]
            done = run(*TRACKS, command=once)
            if (done.returncode, done.stderr) != (status, ""):
                wrong[instant] = done
        assert wrong == {}
