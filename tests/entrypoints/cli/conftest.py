"""The command as a process, and a LiveKit double for it."""

import asyncio
import subprocess

import pytest
from attrs import frozen
from pytest_aiohttp import AiohttpServer

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import (
    Participant,
    ParticipantIdentity,
    PublishedTrack,
    TrackKind,
    TrackSid,
    TrackSource,
)
from tests.support.command import COMMAND, TIMEOUT_S, environment
from tests.support.secret_scan import keep, scan_for_secrets

ROOM = RoomName("room-1")


@frozen
class Done:
    """What a command wrote, and its exit status."""

    status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The results, in no particular order."""
        return sorted(self.stdout.splitlines())


class Cli:
    """Runs the command with the settings of a LiveKit double."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    async def start(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=environment(**self.variables, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, **variables: str) -> Done:
        return await ended(await self.start(*arguments, **variables))


async def ended(process: asyncio.subprocess.Process) -> Done:
    async with asyncio.timeout(TIMEOUT_S):
        stdout, stderr = await process.communicate()
    scan_for_secrets("the command's output", stdout + stderr)
    assert process.returncode is not None
    return Done(process.returncode, stdout.decode(), stderr.decode())


def participant(identity: str) -> Participant:
    return Participant(room=ROOM, identity=ParticipantIdentity(identity))


def track(sid: str, source: TrackSource = TrackSource.MICROPHONE) -> PublishedTrack:
    kind = TrackKind.AUDIO if source is TrackSource.MICROPHONE else TrackKind.VIDEO
    return PublishedTrack(sid=TrackSid(sid), muted=False, kind=kind, source=source)


@pytest.fixture
def double() -> LiveKitDouble:
    """A LiveKit in whose room are alice and bob, each with two tracks, and the silent carol."""
    rooms = LiveKitRooms(remote_unmute=True, absent_wait_s=60.0)
    rooms.put_room(ROOM, metadata='{"auth_id": "tenant-a"}')
    for identity in ("bob", "alice", "carol"):
        rooms.put_participant(participant(identity))
    for identity in ("bob", "alice"):
        rooms.put_track(participant(identity), track(f"TR_{identity}_mic"))
        camera = track(f"TR_{identity}_cam", TrackSource.CAMERA)
        rooms.put_track(participant(identity), camera)
    secret = keep("a-key-of-at-least-32-characters-for-the-cli")
    return LiveKitDouble(api_key="key", api_secret=secret, rooms=rooms)


@pytest.fixture
async def cli(double: LiveKitDouble, aiohttp_server: AiohttpServer) -> Cli:
    server = await aiohttp_server(double.app())
    return Cli(
        {
            "LIVEKIT_URL": str(server.make_url("/")),
            "LIVEKIT_API_KEY": double.api_key,
            "LIVEKIT_API_SECRET": double.api_secret,
        }
    )
