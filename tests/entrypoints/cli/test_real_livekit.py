"""The command against a real LiveKit."""

from collections.abc import Callable

import pytest

from domain.room import RoomName
from domain.track import ParticipantIdentity
from entrypoints.cli.exit_status import ExitStatus
from tests.entrypoints.cli.conftest import Cli, Done
from tests.support.livekit_server import LiveKitServer
from tests.support.rooms.real import rooms_on


@pytest.mark.livekit_server
class TestWithARealServer:
    async def test_lists_and_mutes_several_participants(
        self, livekit_server: Callable[..., LiveKitServer]
    ) -> None:
        server = livekit_server(remote_unmute=True)
        cli = Cli(
            {
                "LIVEKIT_URL": server.url,
                "LIVEKIT_API_KEY": server.api_key,
                "LIVEKIT_API_SECRET": server.api_secret,
            }
        )
        async with rooms_on(server) as rooms:
            room = await rooms.open(metadata='{"auth_id": "tenant-a"}')
            joined = [
                await rooms.join(room, ParticipantIdentity(identity))
                for identity in ("alice", "b\u00f6b \u202e", "host")
            ]
            sids = [await rooms.publish(each) for each in joined]
            done = await until_listed(cli, room, len(sids))
            assert [line.split(maxsplit=4) for line in done.stdout.splitlines()[1:]] == [
                [sids[0], "unknown", "audio", "no", "alice"],
                [sids[1], "unknown", "audio", "no", "b\u00f6b \\u202e"],
                [sids[2], "unknown", "audio", "no", "host"],
            ]
            muted = await cli("mute", room, "--all", "--except", "host", "--as", "tenant-a")
            assert (muted.status, len(muted.lines)) == (0, 2)
            states = [
                await rooms.is_muted(each, sid) for each, sid in zip(joined, sids, strict=True)
            ]
            assert states == [True, True, False]
            assert (await cli("unmute", room, "alice", "--source", "unknown")).status == 0
            assert not await rooms.is_muted(joined[0], sids[0])
            gone = await cli("mute", room, "alice", "TR_nope")
            assert gone.status == ExitStatus.TRACK_NOT_FOUND
            absent = await cli("mute", room, "nobody", "TR_nope")
            assert absent.status == ExitStatus.PARTICIPANT_NOT_FOUND


async def until_listed(cli: Cli, room: RoomName, tracks: int) -> Done:
    """List until all is listed: listings lag behind."""
    while True:
        done = await cli("tracks", room)
        if len(done.stdout.splitlines()) == tracks + 1 and " - " not in done.stdout:
            return done
