"""A LiveKit in which one kind of call fails until it is repaired."""

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

from contract.livekit_messages import TURN_PASSWORD
from tests.adapters.livekit.canned import ALICE, SID, twirp
from tests.support.sockets import will_reset

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
"""The good answer to each call."""

_NO_RESPONSE = twirp("503 Service Unavailable", {"code": "unavailable", "msg": "s3cret"})
_LATE_S = 0.3
"""How long a mute has no answer while its participant is looked up; LiveKit's own is 3 s."""
_SOON_S = 0.05


@frozen
class Exchange:
    """A call, and its connection."""

    call: str
    writer: asyncio.StreamWriter
    token: str = ""

    async def send(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    def reset(self) -> None:
        """Reset the connection."""
        will_reset(self.writer)
        self.writer.close()


class Stage(Enum):
    """How far a request gets before the fault."""

    REFUSED = auto()
    NO_HANDSHAKE = auto()
    CONNECTED = auto()
    HEAD_BEGUN = auto()
    HEAD_READ = auto()
    READ = auto()


UNCONNECTED = (Stage.REFUSED, Stage.NO_HANDSHAKE)


Act = Callable[[Exchange], Awaitable[bool | None]]
"""Answers a call wrongly, and returns whether to keep the connection."""


async def hang(_exchange: Exchange) -> None:
    await asyncio.Event().wait()


@frozen(kw_only=True)
class Fault:
    """An act, at a stage of the request."""

    stage: Stage = Stage.READ
    act: Act = hang
    denies: bool = False
    """Whether it says that the participant is absent; if GetParticipant does, the mute hangs."""


@define
class FaultyLiveKit:
    """LiveKit's three calls on a port of loopback."""

    _socket: socket.socket
    calls: list[str] = field(init=False, factory=list)
    """The calls received, with each attempt of the faulty one."""
    tokens: set[str] = field(init=False, factory=set)
    """The tokens received."""
    _listener: asyncio.Server | None = field(init=False, default=None)
    _pending: ExitStack = field(init=False, factory=ExitStack)
    _fault: Fault | None = field(init=False, default=None)
    _at: str = field(init=False, default="")
    _before: str = field(init=False, default="")
    _done: asyncio.Event = field(init=False, factory=asyncio.Event)
    _exchanges: set["asyncio.Task[None]"] = field(init=False, factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        self._pending.close()
        await self._close_connections()

    async def break_call(self, fault: Fault, *, at: str, before: str) -> None:
        """Make a call fail, from the call before it on if there is one."""
        await self._close_connections()
        self._fault, self._at, self._before = fault, at, before
        self._done.clear()
        self.calls.clear()
        if self._is_due():
            await self._stop_listening()

    async def repair(self) -> None:
        """End the fault, once its act is done or hangs."""
        if self._at in self.calls:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), 0.1)
        self._fault = None
        self.calls.clear()
        if self._listener is None:
            self._pending.close()
            await self._listen()

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(
            self._serve_connection, sock=self._socket.dup(), backlog=100
        )

    async def _stop_listening(self) -> None:
        """Accept no more connections if that is the fault; the port stays bound."""
        if self._listener is None or self._stage not in UNCONNECTED:
            return
        self._listener.close()
        self._listener = None
        self._socket.shutdown(socket.SHUT_RD)
        if self._stage is Stage.NO_HANDSHAKE:
            self._socket.listen(0)
            for _ in range(3):  # more than the backlog, so that the system accepts no others
                pending = self._pending.enter_context(socket.socket())
                pending.settimeout(0)
                pending.connect_ex(self._socket.getsockname())

    @property
    def _stage(self) -> Stage:
        return self._fault.stage if self._fault else Stage.READ

    def _is_due(self) -> bool:
        return self._fault is not None and (not self._before or self._before in self.calls)

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._exchanges.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._serve(reader, writer):
                pass
        writer.close()
        self._exchanges.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether to keep the connection."""
        if self._is_due() and self._stage is Stage.CONNECTED:
            return await self._fail(Exchange(self._at, writer))
        begun = await reader.readexactly(10)
        if self._is_due() and self._stage is Stage.HEAD_BEGUN:
            return await self._fail(Exchange(self._at, writer))
        request_line, _, lines = (begun + await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        headers = message_from_bytes(lines)
        token = headers["Authorization"].removeprefix("Bearer ")
        exchange = Exchange(request_line.split(b" ")[1].decode().rpartition("/")[2], writer, token)
        self.tokens.add(token)
        is_faulty = self._fault is not None and exchange.call == self._at
        if is_faulty and self._stage is Stage.HEAD_READ:
            return await self._fail(exchange)
        await reader.readexactly(int(headers["Content-Length"]))
        return await (self._fail(exchange) if is_faulty else self._answer(exchange))

    async def _fail(self, exchange: Exchange) -> bool:
        assert self._fault is not None
        self.calls.append(exchange.call)
        try:
            return bool(await self._fault.act(exchange))
        finally:
            self._done.set()

    async def _answer(self, exchange: Exchange) -> bool:
        self.calls.append(exchange.call)
        if self._is_due():
            await self._stop_listening()
        if exchange.call == MUTE and self._fault and self._at == GET:
            if self._fault.denies:
                await hang(exchange)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), _LATE_S)
            await asyncio.sleep(_SOON_S)
            await exchange.send(_NO_RESPONSE)
            return False
        keeps = self._listener is not None and self._stage is not Stage.CONNECTED
        await exchange.send(good_answer(GOOD[exchange.call], keeps=keeps))
        return keeps

    async def _close_connections(self) -> None:
        for task in self._exchanges:
            task.cancel()
        await asyncio.gather(*self._exchanges)


def good_answer(body: bytes, more: str = "", *, keeps: bool = True) -> bytes:
    """Write an answer as LiveKit does."""
    framing = f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keeps else 'close'}\r\n"
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\n{framing}{more}\r\n".encode()
        + (body)
    )


@asynccontextmanager
async def faulty_livekit() -> AsyncIterator[FaultyLiveKit]:
    """Run one without a fault."""
    with socket.socket() as free, socket.socket() as ours:
        for each, address in ((free, lambda: ("127.0.0.1", 0)), (ours, free.getsockname)):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(address())  # a port bound by number stays ours when nobody listens
        async with FaultyLiveKit(ours) as livekit:
            yield livekit
