"""The command on a terminal: what a person sees, also after Ctrl-C."""

import asyncio
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from contract.livekit_answers import silence, twirp_error
from contract.livekit_double import LiveKitDouble
from entrypoints.cli.exit_status import ExitStatus
from tests.entrypoints.cli.conftest import Cli, participant
from tests.entrypoints.cli.terminal import Terminal, terminal
from tests.support.command import COMMAND

RESULTS = [f"muted TR_{who}_{what} of {who}" for who in ("alice", "bob") for what in ("cam", "mic")]


def start(cli: Cli, *arguments: str, stdout: int | None = None) -> AbstractContextManager[Terminal]:
    variables = {**cli.variables, "LIVEKIT_TIMEOUT_SECONDS": "60"}
    return terminal(*COMMAND, *arguments, variables=variables, stdout=stdout)


class TestProgress:
    async def test_is_shown_while_tracks_are_muted(self, cli: Cli) -> None:
        with start(cli, "mute", "room-1", "--all") as shown:
            status = await asyncio.to_thread(shown.read_all)
        assert status == ExitStatus.DONE
        for done in range(5):
            assert f"{done} of 4 tracks" in shown.written
        assert sorted(shown.screen) == ["", *RESULTS]

    async def test_leaves_room_for_lines_of_failures(self, cli: Cli, double: LiveKitDouble) -> None:
        double.fail_next("MutePublishedTrack", twirp_error("invalid_argument"))
        with start(cli, "mute", "room-1", "--all") as shown:
            status = await asyncio.to_thread(shown.read_all)
        assert status == ExitStatus.SOME_FAILED
        assert shown.screen[-2:] == ["livekit-mute: 1 of 4 tracks failed", ""]
        assert len([line for line in shown.screen if "LiveKit refused" in line]) == 1

    async def test_is_apart_from_results_in_a_file(self, cli: Cli, tmp_path: Path) -> None:
        with (
            (tmp_path / "results").open("w") as results,
            start(cli, "mute", "room-1", "--all", stdout=results.fileno()) as shown,
        ):
            await asyncio.to_thread(shown.read_all)
        assert "3 of 4 tracks" in shown.written
        assert shown.screen == [""]
        assert sorted((tmp_path / "results").read_text().splitlines()) == RESULTS

    async def test_is_not_shown_for_one_track(self, cli: Cli) -> None:
        with start(cli, "mute", "room-1", "bob", "--source", "camera") as shown:
            await asyncio.to_thread(shown.read_all)
        assert shown.written == "muted TR_bob_cam of bob\r\n"

    @pytest.mark.parametrize(
        ("number", "status"),
        [(signal.SIGINT, ExitStatus.INTERRUPTED), (signal.SIGTERM, ExitStatus.TERMINATED)],
    )
    async def test_is_removed_by_a_signal(
        self, cli: Cli, double: LiveKitDouble, number: signal.Signals, status: ExitStatus
    ) -> None:
        double.fail_next("MutePublishedTrack", silence)
        with start(cli, "mute", "room-1", "--all") as shown:
            await asyncio.to_thread(shown.read_until, "3 of 4 tracks")
            shown.process.send_signal(number)
            assert await asyncio.to_thread(shown.read_all) == status
        assert len(shown.screen) == 4
        assert {*shown.screen} <= {"", *RESULTS}


class TestTable:
    async def test_is_harmless_and_aligned(self, cli: Cli, double: LiveKitDouble) -> None:
        double.rooms.put_participant(participant("\x1b]0;x\x07\u202eeve"))
        double.rooms.put_participant(participant("\u5c71\u7530"))
        with start(cli, "tracks", "room-1") as shown:
            await asyncio.to_thread(shown.read_all)
        assert [line for line in shown.screen if line.startswith("-")] == [
            "-             -           -      -      \\x1b]0;x\\x07\\u202eeve",
            "-             -           -      -      carol",
            "-             -           -      -      \u5c71\u7530",
        ]

    async def test_is_shown_in_any_encoding(self, cli: Cli, double: LiveKitDouble) -> None:
        double.rooms.put_participant(participant("\u5c71"))
        done = await cli("tracks", "room-1", "\u5c71", PYTHONIOENCODING="ascii")
        assert done.stdout.endswith("  \\u5c71\n")
