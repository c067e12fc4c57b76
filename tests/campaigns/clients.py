"""Clients in bytes, who count what becomes of each request, and the process that they load."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
from attrs import define, field, frozen
from cattrs import structure

from benchmarks.processes import running
from benchmarks.stage import Stage
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from tests.service import MUTE, Answer, parse_answers

TOKEN = "token-of-a"
STRANGER = "token-of-b"
SECRETS = json.dumps([{"id": "tenant-a", "secret": TOKEN}, {"id": "tenant-b", "secret": STRANGER}])
PATIENCE_S = 30.0

_ROOM, _ALICE, _TRACK = RoomName("room"), ParticipantIdentity("alice"), TrackSid("TR_mic")


def get(path: str, *fields: str) -> bytes:
    return _head("GET", path, *fields)


def mute(wish: Mapping[str, object], *fields: str, token: str = TOKEN) -> bytes:
    """Write a request for a track to be muted."""
    body = json.dumps(wish).encode()
    told = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    return _head("POST", MUTE, f"Authorization: Bearer {token}", *told, *fields) + body


def _head(method: str, path: str, *fields: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


WISH: Mapping[str, object] = {
    "room_name": _ROOM,
    "participant_identity": _ALICE,
    "track_sid": _TRACK,
    "muted": True,
}
MUTE_ALICE = mute(WISH)


@frozen
class Client:
    """One connection."""

    _reader: asyncio.StreamReader = field(repr=False)
    _writer: asyncio.StreamWriter = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str) -> "AsyncIterator[Client]":
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def ask(self, request: bytes) -> Answer:
        """Send a request, and wait for the whole of its answer.

        Raises:
            EOFError: the connection was closed without one.
            OSError: it was reset.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        [answer] = parse_answers(head)
        body = await self._reader.readexactly(int(answer.headers.get("Content-Length", 0)))
        return Answer(status=answer.status, headers=answer.headers, body=body)

    async def at_end(self) -> bool:
        """Wait for the service to close the connection, and tell whether it said no more."""
        return not await self._reader.read()


async def ask_once(url: str, request: bytes) -> Answer:
    async with Client.connected(url) as client:
        return await client.ask(request)


def closes(answer: Answer) -> bool:
    return answer.headers.get("Connection") == "close"


@contextmanager
def livekit_apart(folder: Path) -> Iterator[tuple[dict[str, str], Mapping[str, object]]]:
    """Serve a fast LiveKit in a process of its own; give the settings to reach it, and a wish."""
    key = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s3cret" * 6}
    with running(["benchmarks.livekit", "--participants", "1"], key, folder) as livekit:
        alice = structure(livekit.said, Stage).alone[0]
        wish = {
            "room_name": alice.room,
            "participant_identity": alice.identity,
            "track_sid": alice.track_sid,
            "muted": True,
        }
        yield {**key, "LIVEKIT_URL": livekit.url, "AUTH_API_SECRETS_JSON": SECRETS}, wish


@asynccontextmanager
async def slow_livekit(delay_s: float) -> AsyncIterator[dict[str, str]]:
    """Serve a LiveKit that takes its time for each call; give the settings to reach it."""
    double = LiveKitDouble(api_key="key", api_secret="s3cret" * 6, rooms=LiveKitRooms())
    alice = Participant(room=_ROOM, identity=_ALICE)
    double.rooms.put_room(_ROOM, metadata='{"auth_id": "tenant-a"}')
    double.rooms.put_participant(alice)
    double.rooms.put_track(alice, Track(sid=_TRACK, muted=False))

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        return await handler(request)

    app = double.app()
    app.middlewares.append(wait)
    async with TestServer(app) as server:
        yield {
            "LIVEKIT_URL": str(server.make_url("/")),
            "LIVEKIT_API_KEY": double.api_key,
            "LIVEKIT_API_SECRET": double.api_secret,
            "AUTH_API_SECRETS_JSON": SECRETS,
        }


@define
class Vitals:
    """What the system tells of a process."""

    _pid: int

    @property
    def resident_mb(self) -> float:
        return self._status("VmRSS") / 1024

    @property
    def peak_mb(self) -> float:
        return self._status("VmHWM") / 1024

    @property
    def threads(self) -> int:
        return self._status("Threads")

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self._pid}/fd").iterdir()))

    async def descriptors_down_to(self, base: int) -> int:
        """Wait until there are no more descriptors than that, or it takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self.descriptors > base:  # noqa: ASYNC110 - only the system knows when
                    await asyncio.sleep(0.05)
        return self.descriptors

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
