"""A LiveKit to be asked over bare HTTP: the double, or a real server."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import aiohttp
from aiohttp.test_utils import TestServer
from attrs import field, frozen
from google.protobuf.message import Message
from livekit.api import AccessToken, VideoGrants
from livekit.protocol.room import MuteRoomTrackRequest

from contract.livekit_double import LiveKitDouble
from contract.rooms import Rooms
from domain.room import RoomName
from domain.track import Participant, TrackSid
from tests.support.livekit_cluster import RealLiveKit
from tests.support.rooms import arranged
from tests.support.rooms.real import rooms_on

M = TypeVar("M", bound=Message)

PROTOBUF = "application/protobuf"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
MUTE = "MutePublishedTrack"
_VERSION_OF_THE_DOUBLE = (1, 13, 5)


@frozen(kw_only=True)
class HttpAnswer:
    """What came back."""

    status: int
    content_type: str
    body: bytes

    def message(self, kind: type[M]) -> M:
        assert (self.status, self.content_type) == (200, PROTOBUF)
        return kind.FromString(self.body)

    def json(self) -> dict[str, object]:
        assert (self.status, self.content_type) == (200, JSON)
        read = json.loads(self.body)
        assert isinstance(read, dict)
        return read


def twirp_error(
    status: int, code: str, msg: str, meta: Mapping[str, str] | None = None
) -> HttpAnswer:
    error = {"code": code, "msg": msg} | ({"meta": meta} if meta else {})
    body = json.dumps(error, separators=(",", ":")).encode()
    return HttpAnswer(status=status, content_type=JSON, body=body)


def refusal(text: str) -> HttpAnswer:
    return HttpAnswer(status=401, content_type=TEXT, body=text.encode())


DENIED = twirp_error(401, "unauthenticated", "permissions denied")


@frozen(kw_only=True)
class LiveKit:
    """Where to ask, with which key, and the back door to the rooms."""

    version: tuple[int, ...]
    url: str
    api_key: str
    api_secret: str = field(repr=False)
    rooms: Rooms
    session: aiohttp.ClientSession
    is_in_time: bool
    """Whether nothing takes place after a call's timeout; LiveKit itself is sometimes faster."""

    def admin(self, room: RoomName) -> str:
        return self.token(VideoGrants(room_admin=True, room=room))

    def token(
        self,
        grants: VideoGrants,
        *,
        api_key: str | None = None,
        api_secret: str | None = None,
        life: timedelta = timedelta(minutes=1),
    ) -> str:
        token = AccessToken(api_key or self.api_key, api_secret or self.api_secret)
        return token.with_ttl(life).with_grants(grants).to_jwt()

    async def mute(
        self,
        participant: Participant,
        sid: TrackSid,
        *,
        muted: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        asked = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=sid, muted=muted
        )
        return await self.ask(MUTE, asked, self.admin(participant.room), headers=headers)

    async def ask(
        self, call: str, asked: Message, token: str, *, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.send(call, asked.SerializeToString(), headers=headers)

    async def ask_in_json(self, call: str, asked: object, token: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": JSON}
        return await self.send(call, json.dumps(asked).encode(), headers=headers)

    async def send(
        self, call: str, body: bytes = b"", *, method: str = "POST", headers: Mapping[str, str]
    ) -> HttpAnswer:
        url = f"{self.url.rstrip('/')}/twirp/livekit.RoomService/{call}"
        headers = {"Content-Type": PROTOBUF, **headers}
        async with self.session.request(method, url, data=body, headers=headers) as answer:
            return HttpAnswer(
                status=answer.status,
                content_type=answer.headers["Content-Type"],
                body=await answer.read(),
            )


@asynccontextmanager
async def double_served(double: LiveKitDouble) -> AsyncIterator[LiveKit]:
    server = TestServer(double.app())
    await server.start_server(auto_decompress=False)
    async with server, aiohttp.ClientSession() as session:
        yield LiveKit(
            version=_VERSION_OF_THE_DOUBLE,
            url=str(server.make_url("/")),
            api_key=double.api_key,
            api_secret=double.api_secret,
            rooms=arranged.behind_double(double),
            session=session,
            is_in_time=True,
        )


@asynccontextmanager
async def server_reached(server: RealLiveKit) -> AsyncIterator[LiveKit]:
    async with rooms_on(server) as rooms, aiohttp.ClientSession() as session:
        yield LiveKit(
            version=server.version,
            url=server.url,
            api_key=server.api_key,
            api_secret=server.api_secret,
            rooms=rooms,
            session=session,
            is_in_time=False,
        )
