"""``mute`` and ``unmute`` as processes, against a LiveKit double."""

import json
import signal
from collections.abc import Sequence

import pytest

from contract.livekit_answers import hang_up, silence, twirp_error
from contract.livekit_double import LiveKitDouble
from entrypoints.cli.exit_status import ExitStatus
from tests.entrypoints.cli.conftest import Cli, ended
from tests.support.secret_scan import keep

ALL_MUTED = ["TR_alice_cam", "TR_alice_mic", "TR_bob_cam", "TR_bob_mic"]


def muted(double: LiveKitDouble) -> list[str]:
    published = [track for tracks in double.rooms.tracks.values() for track in tracks.values()]
    return sorted(track.sid for track in published if track.muted)


class TestMute:
    async def test_mutes_the_track_and_says_so(self, cli: Cli, double: LiveKitDouble) -> None:
        no_probe = {"LIVEKIT_PROBE_DELAY_SECONDS": "60"}
        done = await cli("mute", "room-1", "alice", "TR_alice_mic", **no_probe)
        assert (done.status, done.stdout, done.stderr) == (0, "muted TR_alice_mic of alice\n", "")
        assert muted(double) == ["TR_alice_mic"]
        assert double.calls == {"MutePublishedTrack": 1}

    async def test_unmutes_the_track_and_says_so(self, cli: Cli, double: LiveKitDouble) -> None:
        await cli("mute", "room-1", "--all")
        done = await cli("unmute", "room-1", "alice", "TR_alice_mic")
        assert (done.status, done.stdout, done.stderr) == (0, "unmuted TR_alice_mic of alice\n", "")
        assert muted(double) == ["TR_alice_cam", "TR_bob_cam", "TR_bob_mic"]

    async def test_writes_a_json_object(self, cli: Cli) -> None:
        done = await cli("mute", "room-1", "alice", "TR_alice_mic", "--json")
        assert json.loads(done.stdout) == {
            "room_name": "room-1",
            "participant_identity": "alice",
            "track_sid": "TR_alice_mic",
            "muted": True,
        }

    async def test_picks_the_track_by_its_source(self, cli: Cli, double: LiveKitDouble) -> None:
        done = await cli("mute", "room-1", "bob", "--source", "camera")
        assert (done.status, done.lines) == (0, ["muted TR_bob_cam of bob"])
        assert muted(double) == ["TR_bob_cam"]

    async def test_acts_for_a_tenant_in_its_own_rooms_only(
        self, cli: Cli, double: LiveKitDouble
    ) -> None:
        for arguments in (["alice", "TR_alice_mic"], ["--all"]):
            foreign = await cli("mute", "--as", "tenant-b", "room-1", *arguments)
            missing = await cli("mute", "--as", "tenant-b", "room-2", *arguments)
            assert foreign == missing
            assert (foreign.status, foreign.stdout) == (ExitStatus.ROOM_NOT_FOUND, "")
            assert foreign.stderr.startswith("livekit-mute: no such room, or with --as ")
        assert muted(double) == []
        assert (
            await cli("mute", "--as", "tenant-a", "room-1", "alice", "TR_alice_mic")
        ).status == 0
        assert muted(double) == ["TR_alice_mic"]

    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            (["alice", "TR_nope"], ExitStatus.TRACK_NOT_FOUND),
            (["nobody", "TR_nope"], ExitStatus.PARTICIPANT_NOT_FOUND),
            (["alice", "--source", "screen_share"], ExitStatus.NOT_SEEN),
            (["nobody", "--source", "camera"], ExitStatus.NOT_SEEN),
            (["--all", "--source", "screen_share"], ExitStatus.NOT_SEEN),
        ],
    )
    async def test_says_what_was_not_found(
        self, cli: Cli, double: LiveKitDouble, arguments: Sequence[str], status: ExitStatus
    ) -> None:
        done = await cli("mute", "room-1", *arguments)
        assert (done.status, done.stdout, done.stderr.count("\n")) == (status, "", 1)
        assert muted(double) == []

    async def test_says_that_unmuting_is_disabled(self, cli: Cli, double: LiveKitDouble) -> None:
        double.rooms.remote_unmute = False
        done = await cli("unmute", "room-1", "alice", "TR_alice_mic")
        assert done.status == ExitStatus.REMOTE_UNMUTE_DISABLED
        assert "room.enable_remote_unmute" in done.stderr

    @pytest.mark.parametrize("arguments", [["alice", "TR_alice_mic"], ["--all"]])
    async def test_says_why_livekit_did_not_do_it(
        self, cli: Cli, double: LiveKitDouble, arguments: Sequence[str]
    ) -> None:
        for answer, status, reason in (
            (hang_up, ExitStatus.LIVEKIT_UNAVAILABLE, "LiveKit is unavailable: "),
            (twirp_error("invalid_argument"), ExitStatus.LIVEKIT_REFUSED, "LiveKit refused: "),
        ):
            with double.always(answer):
                done = await cli("mute", "room-1", *arguments)
            assert (done.status, done.stdout, done.stderr.count("\n")) == (status, "", 1)
            assert done.stderr.startswith(f"livekit-mute: {reason}")

    async def test_gives_up_after_livekits_timeout(self, cli: Cli, double: LiveKitDouble) -> None:
        with double.always(silence):
            done = await cli(
                "mute", "room-1", "alice", "TR_alice_mic", LIVEKIT_TIMEOUT_SECONDS="0.2"
            )
        assert done.status == ExitStatus.LIVEKIT_UNAVAILABLE

    async def test_shows_no_secret(self, cli: Cli) -> None:
        wrong = keep("a-wrong-secret-of-the-cli-with-32-characters")
        for command in (["tracks", "room-1"], ["mute", "room-1", "alice", "TR_alice_mic"]):
            cli.variables["LIVEKIT_API_SECRET"] = wrong
            done = await cli(*command)
            assert done.status == ExitStatus.LIVEKIT_REFUSED


class TestMuteAll:
    async def test_mutes_everyone(self, cli: Cli, double: LiveKitDouble) -> None:
        done = await cli("mute", "room-1", "--all")
        assert (done.status, done.stderr) == (0, "")
        assert done.lines == [f"muted {sid} of {sid.split('_')[1]}" for sid in ALL_MUTED]
        assert muted(double) == ALL_MUTED

    async def test_leaves_out_who_is_spared(self, cli: Cli, double: LiveKitDouble) -> None:
        done = await cli(
            "mute", "room-1", "--all", "--source", "microphone", "--except", "bob", "--except", "x"
        )
        assert (done.status, muted(double)) == (0, ["TR_alice_mic"])
        assert done.stderr == "livekit-mute: --except x: no such participant seen\n"

    async def test_fails_where_one_track_failed_and_mutes_the_others(
        self, cli: Cli, double: LiveKitDouble
    ) -> None:
        double.fail_next("MutePublishedTrack", twirp_error("invalid_argument"))
        done = await cli("mute", "room-1", "--all")
        assert (done.status, len(done.lines)) == (ExitStatus.SOME_FAILED, 3)
        failed, summary = done.stderr.splitlines()
        assert "LiveKit refused" in failed
        assert summary == "livekit-mute: 1 of 4 tracks failed"
        assert len(muted(double)) == 3

    async def test_writes_a_json_object_for_each_track(
        self, cli: Cli, double: LiveKitDouble
    ) -> None:
        double.fail_next("MutePublishedTrack", twirp_error("invalid_argument"))
        done = await cli("mute", "room-1", "--all", "--json")
        results = [json.loads(line) for line in done.lines]
        assert sorted(result["track_sid"] for result in results) == ALL_MUTED
        [failed] = [result for result in results if "error" in result]
        assert (failed["code"], "muted" in failed) == ("LIVEKIT_REFUSED", False)
        assert done.stderr == "livekit-mute: 1 of 4 tracks failed\n"


class TestInterrupt:
    @pytest.mark.parametrize(
        ("number", "status"),
        [(signal.SIGINT, ExitStatus.INTERRUPTED), (signal.SIGTERM, ExitStatus.TERMINATED)],
    )
    async def test_ends_a_mute_in_silence_and_has_reported_what_was_muted(
        self, cli: Cli, double: LiveKitDouble, number: signal.Signals, status: ExitStatus
    ) -> None:
        double.fail_next("MutePublishedTrack", silence)
        process = await cli.start("mute", "room-1", "--all", LIVEKIT_TIMEOUT_SECONDS="60")
        assert process.stdout
        results = [await process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        done = await ended(process)
        assert (done.status, done.stdout, done.stderr) == (status, "", "")
        assert sorted(result.decode().split()[1] for result in results) == muted(double)
