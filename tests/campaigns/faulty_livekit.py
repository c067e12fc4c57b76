"""A LiveKit that answers well, but for one call that goes wrong until it is healed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from email import message_from_bytes
from enum import Enum, auto
from typing import Self

from attrs import define, field, frozen
from livekit.api import ListRoomsResponse, MuteRoomTrackResponse, ParticipantInfo, TrackInfo
from livekit.protocol.models import Room

from contract.livekit_rooms import TURN_PASSWORD
from tests.adapters.livekit.canned import ALICE, SID, twirp
from tests.sockets import will_reset

LIST, MUTE, GET = "ListRooms", "MutePublishedTrack", "GetParticipant"
OWNER = "tenant-a"
GOOD: Mapping[str, bytes] = {
    LIST: ListRoomsResponse(
        rooms=[
            Room(name=ALICE.room, metadata=f'{{"auth_id": "{OWNER}"}}', turn_password=TURN_PASSWORD)
        ]
    ).SerializeToString(),
    MUTE: MuteRoomTrackResponse(track=TrackInfo(sid=SID, muted=True)).SerializeToString(),
    GET: ParticipantInfo(identity=ALICE.identity).SerializeToString(),
}
"""What each call is answered where all is well."""

_NO_RESPONSE = twirp("503 Service Unavailable", {"code": "unavailable", "msg": "s3cret"})
_LATE_S = 0.3
"""How long a mute is silent while its participant is looked for; LiveKit's own is 3 s."""
_SOON_S = 0.05


@frozen
class Talk:
    """A call, and the connection that it came on."""

    call: str
    writer: asyncio.StreamWriter
    token: str = ""

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection off as a crashed host does."""
        will_reset(self.writer)
        self.writer.close()


class Stage(Enum):
    """How far a request comes before it goes wrong."""

    NOBODY_LISTENS = auto()
    NOTHING_COMES_THROUGH = auto()
    CONNECTED = auto()
    HEAD_BEGUN = auto()
    HEAD_READ = auto()
    READ = auto()


DOORS = (Stage.NOBODY_LISTENS, Stage.NOTHING_COMES_THROUGH)


Act = Callable[[Talk], Awaitable[bool | None]]
"""Goes wrong in answering a call, and tells whether the connection is kept."""


async def say_nothing(_talk: Talk) -> None:
    await asyncio.Event().wait()


@frozen(kw_only=True)
class Fault:
    """What goes wrong once a request has come so far."""

    stage: Stage = Stage.READ
    act: Act = say_nothing


@define
class FaultyLiveKit:
    """LiveKit's three calls on a port of loopback."""

    _socket: socket.socket
    calls: list[str] = field(init=False, factory=list)
    """What was asked for, each try of the call at fault included that got through at all."""
    tokens: set[str] = field(init=False, factory=set)
    """Those that it was shown."""
    _door: asyncio.Server | None = field(init=False, default=None)
    _waiting: ExitStack = field(init=False, factory=ExitStack)
    _fault: Fault | None = field(init=False, default=None)
    _at: str = field(init=False, default="")
    _before: str = field(init=False, default="")
    _acted: asyncio.Event = field(init=False, factory=asyncio.Event)
    _talks: set["asyncio.Task[None]"] = field(init=False, factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def __aenter__(self) -> Self:
        await self._open_door()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._door is not None:
            self._door.close()
        self._waiting.close()
        await self._hang_up()

    async def break_down(self, fault: Fault, *, at: str, before: str) -> None:
        """Go wrong at a call, once the one before it has come, where there is one."""
        await self._hang_up()
        self._fault, self._at, self._before = fault, at, before
        self._acted.clear()
        self.calls.clear()
        if self._is_due():
            await self._lock_door()

    async def heal(self) -> None:
        """Be well again, once what went wrong is over or is seen to hang."""
        if self._at in self.calls:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._acted.wait(), 0.1)
        self._fault = None
        self.calls.clear()
        if self._door is None:
            self._waiting.close()
            await self._open_door()

    async def _open_door(self) -> None:
        self._door = await asyncio.start_server(self._talk, sock=self._socket.dup(), backlog=100)

    async def _lock_door(self) -> None:
        """Let no new connection through, if that is what goes wrong; the port stays ours."""
        if self._door is None or self._stage not in DOORS:
            return
        self._door.close()
        self._door = None
        self._socket.shutdown(socket.SHUT_RD)
        if self._stage is Stage.NOTHING_COMES_THROUGH:
            self._socket.listen(0)
            for _ in range(3):  # more than it takes, and so the system takes no others
                waiting = self._waiting.enter_context(socket.socket())
                waiting.settimeout(0)
                waiting.connect_ex(self._socket.getsockname())

    @property
    def _stage(self) -> Stage:
        return self._fault.stage if self._fault else Stage.READ

    def _is_due(self) -> bool:
        return self._fault is not None and (not self._before or self._before in self.calls)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._serve(reader, writer):
                pass
        writer.close()
        self._talks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection is good for another."""
        if self._is_due() and self._stage is Stage.CONNECTED:
            return await self._go_wrong(Talk(self._at, writer))
        begun = await reader.readexactly(10)
        if self._is_due() and self._stage is Stage.HEAD_BEGUN:
            return await self._go_wrong(Talk(self._at, writer))
        request_line, _, lines = (begun + await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        headers = message_from_bytes(lines)
        token = headers["Authorization"].removeprefix("Bearer ")
        talk = Talk(request_line.split(b" ")[1].decode().rpartition("/")[2], writer, token)
        self.tokens.add(token)
        at_fault = self._fault is not None and talk.call == self._at
        if at_fault and self._stage is Stage.HEAD_READ:
            return await self._go_wrong(talk)
        await reader.readexactly(int(headers["Content-Length"]))
        return await (self._go_wrong(talk) if at_fault else self._answer(talk))

    async def _go_wrong(self, talk: Talk) -> bool:
        assert self._fault is not None
        self.calls.append(talk.call)
        try:
            return bool(await self._fault.act(talk))
        finally:
            self._acted.set()

    async def _answer(self, talk: Talk) -> bool:
        self.calls.append(talk.call)
        if self._is_due():
            await self._lock_door()
        if talk.call == MUTE and self._fault and self._at == GET:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._acted.wait(), _LATE_S)
            await asyncio.sleep(_SOON_S)
            await talk.say(_NO_RESPONSE)
            return False
        keeps = self._door is not None and self._stage is not Stage.CONNECTED
        await talk.say(well(GOOD[talk.call], keeps=keeps))
        return keeps

    async def _hang_up(self) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks)


def well(body: bytes, more: str = "", *, keeps: bool = True) -> bytes:
    """Frame an answer as LiveKit does."""
    framing = f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keeps else 'close'}\r\n"
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\n{framing}{more}\r\n".encode()
        + (body)
    )


@asynccontextmanager
async def faulty_livekit() -> AsyncIterator[FaultyLiveKit]:
    """Serve one, well at first."""
    with socket.socket() as free, socket.socket() as ours:
        for each, address in ((free, lambda: ("127.0.0.1", 0)), (ours, free.getsockname)):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(address())  # one that was asked for by number is kept when nobody listens
        async with FaultyLiveKit(ours) as livekit:
            yield livekit
