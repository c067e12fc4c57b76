"""A fast LiveKit double: the contract's rooms behind a minimal HTTP server.

It understands only the requests that the programs under test send. The faithful double is
``contract.livekit_double``; one built on aiohttp would cost more than what is measured.
"""

import argparse
import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import cast

import uvloop
from attrs import define
from cattrs import unstructure
from google.protobuf.message import Message
from livekit.protocol.room import (
    ListRoomsRequest,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
)
from typing_extensions import override

from benchmarks.targets import Rooms, create_targets
from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants, TokenRefusedError, read_grants
from contract.twirp import STATUSES, TwirpError
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid

_SERVICE = b"/twirp/livekit.RoomService/"
_REQUESTS: Mapping[bytes, type[Message]] = {
    _SERVICE + b"ListRooms": ListRoomsRequest,
    _SERVICE + b"GetParticipant": RoomParticipantIdentity,
    _SERVICE + b"MutePublishedTrack": MuteRoomTrackRequest,
}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *([^\r]*)", re.IGNORECASE)
_TOKENS_REMEMBERED = 4096


class LiveKit:
    """The rooms, a counter of calls, and a cache of the grants of each token.

    Each call takes ``delay_s``; those about one of ``hanging`` rooms are never answered.
    """

    def __init__(
        self,
        rooms: LiveKitRooms,
        *,
        api_key: str,
        api_secret: str,
        delay_s: float,
        hanging: Collection[str],
    ) -> None:
        self.calls: Counter[str] = Counter()
        self._rooms = rooms
        self._delay_s = delay_s
        self._hanging = frozenset(hanging)
        self._grants: Callable[[str], Grants] = lru_cache(_TOKENS_REMEMBERED)(
            partial(read_grants, api_key=api_key, api_secret=api_secret)
        )

    async def answer(self, path: bytes, authorization: str, body: bytes) -> bytes:
        """Perform a request and return the encoded answer."""
        if path == b"/calls":
            return _encode(200, json.dumps(self.calls).encode())
        kind = _REQUESTS.get(path)
        if kind is None:
            return _encode(404, b"404 page not found\n")
        self.calls[kind.DESCRIPTOR.name] += 1
        asked = kind.FromString(body)
        await self._delay(asked)
        try:
            done = await self._rooms.perform(asked, self._grants(authorization))
        except TokenRefusedError as refusal:
            return _encode(401, str(refusal).encode())
        except TwirpError as error:
            received = json.dumps({"code": error.code, "msg": error.msg}).encode()
            return _encode(STATUSES[error.code], received, b"application/json")
        return _encode(200, done.SerializeToString(), b"application/protobuf")

    async def _delay(self, asked: Message) -> None:
        if self._hanging:
            names = getattr(asked, "names", None) or [getattr(asked, "room", "")]
            if not self._hanging.isdisjoint(names):
                await asyncio.get_running_loop().create_future()
        if self._delay_s:
            await asyncio.sleep(self._delay_s)


class Connection(asyncio.Protocol):
    """A connection whose requests are answered in order."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit
        self._received = b""
        self._answering: asyncio.Task[None] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answering is None:
            self._answer_next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def _answer_next(self) -> None:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        _, path, _ = head.split(b" ", 2)
        given = _LENGTH.search(head)
        length = int(given[1]) if given else 0
        if len(rest) < length:
            return
        self._received = rest[length:]
        token = _AUTHORIZATION.search(head)
        authorization = token[1].decode("latin-1") if token else ""
        self._answering = asyncio.create_task(self._answer(path, authorization, rest[:length]))

    async def _answer(self, path: bytes, authorization: str, body: bytes) -> None:
        self._transport.write(await self._livekit.answer(path, authorization, body))
        self._answering = None
        self._answer_next()


def _encode(status: int, body: bytes, kind: bytes = b"text/plain") -> bytes:
    head = b"HTTP/1.1 %d Whatever\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (status, kind, len(body)) + body


@define
class DoubleRooms(Rooms):
    """Creates rooms and participants in the double directly."""

    _rooms: LiveKitRooms

    @override
    async def open(self, name: str, *, metadata: str) -> None:
        self._rooms.put_room(RoomName(name), metadata=metadata)

    @override
    async def join(self, room: str, identity: str) -> str:
        participant = Participant(room=RoomName(room), identity=ParticipantIdentity(identity))
        sid = TrackSid(f"TR_{room}_{identity}")
        self._rooms.put_participant(participant)
        self._rooms.put_track(participant, PublishedTrack(sid=sid, muted=False))
        return sid


async def serve(
    *, participants: int, more_rooms: int, delay_s: float, hanging: Collection[str]
) -> None:
    """Serve until the process is stopped; print the targets in one line of JSON."""
    rooms = LiveKitRooms()
    livekit = LiveKit(
        rooms,
        api_key=os.environ["LIVEKIT_API_KEY"],
        api_secret=os.environ["LIVEKIT_API_SECRET"],
        delay_s=delay_s,
        hanging=hanging,
    )
    for number in range(more_rooms):
        rooms.put_room(RoomName(f"one-more-{number}"), metadata='{"auth_id": "other"}')
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, livekit), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    targets = await create_targets(
        DoubleRooms(rooms), url=url, prefix="benchmark", participants=participants
    )
    print(json.dumps(unstructure(targets)), flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve, with as many rooms and participants as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=1000)
    parser.add_argument("--more-rooms", type=int, default=0)
    parser.add_argument("--delay-s", type=float, default=0)
    parser.add_argument("--hanging", nargs="*", default=())
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(**vars(arguments)))


if __name__ == "__main__":
    main()
