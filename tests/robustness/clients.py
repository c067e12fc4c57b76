"""HTTP clients on raw connections, LiveKits for the command, and statistics of its process."""

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
from benchmarks.targets import Target, Targets
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from entrypoints.http.limits import Limits
from tests.support.service import MUTE, Answer, parse_answers
from tests.support.timeouts import HOUR_S, scaled

TOKEN = "token-of-a"
OTHER_TOKEN = "token-of-b"
SECRETS = json.dumps(
    [{"id": "tenant-a", "secret": TOKEN}, {"id": "tenant-b", "secret": OTHER_TOKEN}]
)
NO_TIMEOUTS = Limits(
    leave_delay_s=0,
    headers_timeout_s=HOUR_S,
    body_timeout_s=HOUR_S,
    idle_timeout_s=HOUR_S,
    request_timeout_s=HOUR_S,
)
"""For what is not about timeouts, so that a slow machine cannot run into one."""
LONGEST_TIMEOUTS: Mapping[str, str] = {
    "HEADERS_TIMEOUT_SECONDS": "300",
    "BODY_TIMEOUT_SECONDS": "300",
    "IDLE_TIMEOUT_SECONDS": "3600",
    "REQUEST_TIMEOUT_SECONDS": "300",
    "LIVEKIT_TIMEOUT_SECONDS": "60",
}
"""The same for the command: the greatest values that it accepts."""

_ROOM, _ALICE, _TRACK = RoomName("room"), ParticipantIdentity("alice"), TrackSid("TR_mic")


def get(path: str, *headers: str) -> bytes:
    return _head("GET", path, *headers)


def mute(fields: Mapping[str, object], *headers: str, token: str = TOKEN) -> bytes:
    """Write a mute request."""
    body = json.dumps(fields).encode()
    framing = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    return _head("POST", MUTE, f"Authorization: Bearer {token}", *framing, *headers) + body


def _head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


MUTE_ALICE = mute(
    {"room_name": _ROOM, "participant_identity": _ALICE, "track_sid": _TRACK, "muted": True}
)


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

    def send(self, part: bytes) -> None:
        """Send a part of a request."""
        self._writer.write(part)

    async def request(self, request: bytes) -> Answer:
        """Send a request, or the rest of one, and read its response.

        Raises:
            EOFError: the connection was closed without a response.
            OSError: it was reset.
        """
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        [answer] = parse_answers(head)
        body = await self._reader.readexactly(int(answer.headers.get("Content-Length", 0)))
        return Answer(status=answer.status, headers=answer.headers, body=body)

    def close(self) -> None:
        """Close the connection before its end."""
        self._writer.close()

    async def is_closed(self) -> bool:
        """Wait for the service to close the connection; return whether it sent nothing more."""
        return not await self._reader.read()


async def request_once(url: str, request: bytes) -> Answer:
    async with Client.connected(url) as client:
        return await client.request(request)


def closes(answer: Answer) -> bool:
    return answer.headers.get("Connection") == "close"


@contextmanager
def livekit_process(folder: Path) -> Iterator[tuple[dict[str, str], Mapping[str, object]]]:
    """Run a fast LiveKit as a process; yield the settings to reach it, and a mute's fields."""
    with livekit_targets(folder) as (settings, targets):
        yield settings, fields_of(targets.one_per_room[0])


@contextmanager
def livekit_targets(folder: Path, *arguments: str) -> Iterator[tuple[dict[str, str], Targets]]:
    """Run a fast LiveKit as a process; yield the settings to reach it, and what to mute."""
    key = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s3cret" * 6}
    program = ["benchmarks.livekit", "--participants", "1", *arguments]
    with running(program, key, folder) as livekit:
        settings = {**key, "LIVEKIT_URL": livekit.url, "AUTH_API_SECRETS_JSON": SECRETS}
        yield {**settings, **LONGEST_TIMEOUTS}, structure(livekit.ready, Targets)


def fields_of(target: Target) -> Mapping[str, object]:
    """Write the fields of a mute."""
    return {
        "room_name": target.room,
        "participant_identity": target.identity,
        "track_sid": target.track_sid,
        "muted": True,
    }


@asynccontextmanager
async def slow_livekit(
    delay_s: float, called: asyncio.Event | None = None, released: asyncio.Event | None = None
) -> AsyncIterator[dict[str, str]]:
    """Run a LiveKit that delays each call, at most until an event, and sets one at the first.

    Yield its settings.
    """
    end_of_delay = released or asyncio.Event()
    double = LiveKitDouble(api_key="key", api_secret="s3cret" * 6, rooms=LiveKitRooms())
    alice = Participant(room=_ROOM, identity=_ALICE)
    double.rooms.put_room(_ROOM, metadata='{"auth_id": "tenant-a"}')
    double.rooms.put_participant(alice)
    double.rooms.put_track(alice, PublishedTrack(sid=_TRACK, muted=False))

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        if called is not None:
            called.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(end_of_delay.wait(), delay_s)
        return await handler(request)

    app = double.app()
    app.middlewares.append(wait)
    async with TestServer(app) as server:
        yield {
            "LIVEKIT_URL": str(server.make_url("/")),
            "LIVEKIT_API_KEY": double.api_key,
            "LIVEKIT_API_SECRET": double.api_secret,
            "AUTH_API_SECRETS_JSON": SECRETS,
            **LONGEST_TIMEOUTS,
        }


@define
class ProcessStats:
    """What the operating system reports about a process."""

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

    async def settled_descriptors(self, base: int) -> int:
        """Wait until no more descriptors than ``base`` are open, at most a minute."""
        with suppress(TimeoutError):
            async with asyncio.timeout(scaled(60)):
                while self.descriptors > base:  # noqa: ASYNC110 - only the system knows when
                    await asyncio.sleep(0.05)
        return self.descriptors

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
