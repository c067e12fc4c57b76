"""Readers of standard output who go away before its end, as ``head`` does."""

import asyncio
import subprocess
from collections.abc import Iterator

from contract.livekit_double import LiveKitDouble
from entrypoints.cli.exit_status import ExitStatus
from entrypoints.cli.output import aligned
from tests.entrypoints.cli.audit_events import Write, event, write
from tests.entrypoints.cli.conftest import Cli
from tests.support.command import COMMAND, TIMEOUT_S, environment
from tests.support.imports import PROJECT

__all__ = ["write"]

MORE_THAN_A_PIPE_HOLDS = [event()] * 5000


def first_line(*arguments: str, **variables: str) -> tuple[str, int, str]:
    """Read one line of the command's results; return it, the exit status and standard error."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=PROJECT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        return line, process.wait(TIMEOUT_S), process.stderr.read()


class TestReaderWhoIsGone:
    def test_ends_a_list_in_silence(self, write: Write) -> None:
        path = write(*MORE_THAN_A_PIPE_HOLDS)
        for more in ((), ("--json",)):
            line, status, complaints = first_line("audit", path, *more)
            assert line.startswith("{" if more else "TIME ")
            assert (status, complaints) == (ExitStatus.READER_GONE, "")

    async def test_ends_a_mute_of_several_tracks_with_a_word(
        self, cli: Cli, double: LiveKitDouble
    ) -> None:
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", 'exec "$@" | :', "sh", *COMMAND, "mute", "room-1", "--all"],
            cwd=PROJECT,
            env=environment(**cli.variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.stderr == (
            "livekit-mute: cannot write to standard output: nobody reads it any more\n"
        )
        assert double.calls["MutePublishedTrack"] > 0


class TestTable:
    def test_is_written_while_it_is_read(self) -> None:
        read: list[int] = []

        def rows() -> Iterator[tuple[str, str]]:
            for number in range(2500):
                read.append(number)
                yield ("x" * (number + 1), "y")

        lines = aligned(("A", "B"), rows())
        assert next(lines) == "A".ljust(1000) + "  B"
        assert len(read) == 1000
        *_, last = lines
        assert last == "x" * 2500 + "  y"

    def test_never_gets_narrower(self) -> None:
        rows = [("wide", "y")] * 1000 + [("x", "y")]
        *_, last = aligned(("A", "B"), rows)
        assert last == "x     y"
