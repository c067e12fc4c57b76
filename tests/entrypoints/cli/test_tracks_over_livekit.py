"""``tracks`` as a process, against a LiveKit double."""

import json

from entrypoints.cli.exit_status import ExitStatus
from tests.entrypoints.cli.conftest import Cli


class TestTracks:
    async def test_are_listed_as_a_table(self, cli: Cli) -> None:
        await cli("mute", "room-1", "bob", "--source", "camera")
        done = await cli("tracks", "room-1")
        assert (done.status, done.stderr) == (0, "")
        assert done.stdout == (
            "TRACK         SOURCE      KIND   MUTED  PARTICIPANT\n"
            "TR_alice_mic  microphone  audio  no     alice\n"
            "TR_alice_cam  camera      video  no     alice\n"
            "TR_bob_mic    microphone  audio  no     bob\n"
            "TR_bob_cam    camera      video  yes    bob\n"
            "-             -           -      -      carol\n"
        )

    async def test_of_one_participant_can_be_listed(self, cli: Cli) -> None:
        done = await cli("tracks", "room-1", "carol")
        assert done.stdout.splitlines()[1:] == ["-      -       -     -      carol"]
        absent = await cli("tracks", "room-1", "nobody")
        assert (absent.status, absent.stdout) == (ExitStatus.NOT_SEEN, "")

    async def test_are_written_as_json(self, cli: Cli) -> None:
        done = await cli("tracks", "room-1", "--json")
        alice, _, carol = map(json.loads, done.stdout.splitlines())
        assert alice["room_name"] == "room-1"
        assert alice["participant_identity"] == "alice"
        assert alice["tracks"][0] == {
            "track_sid": "TR_alice_mic",
            "source": "microphone",
            "kind": "audio",
            "muted": False,
        }
        assert carol["tracks"] == []

    async def test_of_another_tenant_are_not_told_from_those_of_no_room(self, cli: Cli) -> None:
        foreign = await cli("tracks", "room-1", "--as", "tenant-b")
        assert foreign == await cli("tracks", "room-2", "--as", "tenant-b")
        assert foreign.status == ExitStatus.ROOM_NOT_FOUND
        assert (await cli("tracks", "room-1", "--as", "tenant-a")).status == 0

    async def test_of_no_room_are_an_error(self, cli: Cli) -> None:
        assert (await cli("tracks", "room-2")).status == ExitStatus.ROOM_NOT_FOUND


class TestSettings:
    async def test_of_serving_have_no_effect(self, cli: Cli) -> None:
        variables = {"PORT": "x", "AUTH_REQUIRED": "x", "AUTH_REQIRED": "x", "JWT_SECRET": "x"}
        done = await cli("tracks", "room-1", "carol", **variables)
        assert (done.status, done.stderr) == (0, "")

    async def test_that_are_wrong_are_named_without_their_value(self, cli: Cli) -> None:
        cli.variables["LIVEKIT_URL"] = "s3cret:7880"
        done = await cli("tracks", "room-1")
        assert (done.status, done.stdout, done.stderr.count("\n")) == (ExitStatus.USAGE, "", 1)
        assert done.stderr.startswith("livekit-mute: LIVEKIT_URL: must be a URL")

    async def test_that_are_missing_are_named(self, cli: Cli) -> None:
        del cli.variables["LIVEKIT_URL"]
        for command in (["tracks", "room-1"], ["mute", "room-1", "--all"]):
            done = await cli(*command)
            assert done.status == ExitStatus.LIVEKIT_NOT_CONFIGURED
            assert done.stderr.endswith(" is not configured: set LIVEKIT_URL\n")
