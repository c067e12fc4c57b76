"""LiveKit servers on loopback that answer with given bytes, and gateways to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email import message_from_string
from functools import partial
from typing import Any

from typing_extensions import override

from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from tests.adapters.livekit.canned import ALICE, PROTOBUF, SID

SECRET = "secret-of-livekit-that-is-long-enough"
HOUR_S = 3600.0

Call = Callable[[LiveKitRoomGateway, float], Awaitable[object]]
CALLS: dict[str, Call] = {
    "get_room": lambda gateway, deadline: gateway.get_room(ALICE.room, deadline=deadline),
    "mute": lambda gateway, deadline: gateway.mute_track(
        ALICE, SID, muted=True, room_was_read=True, deadline=deadline
    ),
    "unmute": lambda gateway, deadline: gateway.mute_track(
        ALICE, SID, muted=False, room_was_read=True, deadline=deadline
    ),
    "list": lambda gateway, deadline: gateway.client.list_participants(ALICE.room, deadline),
    "verify": lambda gateway, deadline: gateway.verify_access(deadline=deadline),
}


def within(seconds: float) -> float:
    """Give a deadline."""
    return asyncio.get_running_loop().time() + seconds


def header(head: str, name: str) -> str:
    return str(message_from_string(head.partition("\r\n")[2])[name])


@asynccontextmanager
async def gateway_to(
    url: str, *, probe_delay_s: float = HOUR_S, max_connections: int = 10
) -> AsyncIterator[LiveKitRoomGateway]:
    async with open_gateway(
        url=url,
        api_key=partial(ApiKey, name="key", secret=SECRET),  # a new one each time, but equal
        limits=LiveKitLimits(max_connections=max_connections, probe_delay_s=probe_delay_s),
    ) as gateway:
        yield gateway


@asynccontextmanager
async def serve(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
) -> AsyncIterator[str]:
    """Serve connections, and give the URL; at the end, wait for those that the client closes."""
    talks: list[asyncio.Task[Any] | None] = []

    async def talk_and_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with suppress(OSError, EOFError):  # the client has closed
            await talk(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk_and_end, "127.0.0.1", 0)
    async with server:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, talks))


class Canned:
    """Answers every request with the same bytes and closes the connection, or never answers."""

    def __init__(self, canned: bytes | None) -> None:
        self.canned = canned
        self.heads: list[str] = []
        self.abandoned = asyncio.Semaphore(0)
        """Released for each client that closes its connection before the answer."""
        self._talks: set[asyncio.Task[Any]] = set()
        self._handlers: list[asyncio.Task[Any] | None] = []

    @property
    def calls(self) -> list[str]:
        return [head.split(" ")[1].rpartition("/")[2] for head in self.heads]

    async def answer(self, call: str) -> bytes:  # noqa: ARG002 - others tell calls apart
        return await never() if self.canned is None else self.canned

    async def write(self, writer: asyncio.StreamWriter, call: str) -> None:
        writer.write(await self.answer(call))
        await writer.drain()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._handlers.append(asyncio.current_task())
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await self._respond(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self.write(writer, self.calls[-1]))
        closed = asyncio.create_task(reader.read())
        self._talks |= {answering, closed}
        await asyncio.wait({answering, closed}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            self.abandoned.release()
        answering.cancel()
        closed.cancel()
        await asyncio.gather(answering, closed, return_exceptions=True)

    @asynccontextmanager
    async def gateway(
        self,
        *,
        host: str = "127.0.0.1",
        probe_delay_s: float = HOUR_S,
        max_connections: int = 10,
    ) -> AsyncIterator[LiveKitRoomGateway]:
        async with serve(self._talk, host=host) as url:
            async with gateway_to(
                url, probe_delay_s=probe_delay_s, max_connections=max_connections
            ) as gateway:
                yield gateway
                for talk in self._talks:
                    talk.cancel()
            await asyncio.gather(*filter(None, self._handlers), return_exceptions=True)


async def never() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


class Dripping(Canned):
    """Answers one byte at a time, without end."""

    @override
    async def write(self, writer: asyncio.StreamWriter, call: str) -> None:
        writer.write(PROTOBUF + b"Content-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"\n")
            await writer.drain()
            await asyncio.sleep(0.02)


class HangingMute(Canned):
    """Never answers a mute, and answers a probe with canned bytes."""

    @override
    async def answer(self, call: str) -> bytes:
        return await (never() if call == "MutePublishedTrack" else super().answer(call))


class HangingProbe(Canned):
    """Answers a mute once it is probed, and never answers a probe."""

    @override
    async def answer(self, call: str) -> bytes:
        if call == "GetParticipant":
            return await never()
        while "GetParticipant" not in self.calls:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.01)
        return await super().answer(call)
