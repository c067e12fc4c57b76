"""A service that asks others for an answer, others that can be held, and clients that leave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define, field, frozen

from adapters.identity.delegated import open_delegated
from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.adapters.identity.authentication_service import AuthenticationService, usual_keys
from tests.service import DEMO_WISH, MUTE, Service, running_service
from tests.sockets import will_reset

TOKEN = "token-of-a"
ALICE = Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice"))
MICROPHONE = TrackSid("TR_demo_mic")
WISH = json.dumps(DEMO_WISH).encode()
REQUEST = (
    f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(WISH)}\r\n\r\n"
).encode() + WISH


@define
class Gate:
    """Where whoever is asked can be held, once it has been asked."""

    shut: str = ""
    """What is held: the last word of the path that is asked for."""
    delay_s: float = 0.0
    arrived: asyncio.Event = field(init=False, factory=asyncio.Event)
    opened: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def pass_(self, call: str) -> None:
        if call == self.shut:
            self.arrived.set()
            await self.opened.wait()
        await asyncio.sleep(self.delay_s)


@frozen
class Scene:
    """A service that takes on one request at a time, those whom it asks, and their gate."""

    service: Service
    double: LiveKitDouble
    gate: Gate

    @property
    def is_muted(self) -> bool:
        return self.double.rooms.tracks[ALICE][MICROPHONE].muted

    async def comes_to(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for says nothing
                await asyncio.sleep(0.005)


@asynccontextmanager
async def scene(gate: Gate, *, at_once: int = 1) -> AsyncIterator[Scene]:
    rooms = LiveKitRooms(remote_unmute=True, absent_wait_s=60.0)
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, Track(sid=MICROPHONE, muted=False))
    secret = "a-secret-of-at-least-32-characters"
    double = LiveKitDouble(api_key="devkey", api_secret=secret, rooms=rooms)
    authority = AuthenticationService(respond=partial(_recognise, gate))
    async with (
        authority.running(),
        _served(double, gate) as url,
        running_service(
            open_gateway=lambda: open_gateway(
                url=url,
                api_key=lambda: ApiKey(name=double.api_key, secret=secret),
                bounds=Bounds(timeout_s=20, max_connections=100, probe_delay_s=20),
            ),
            open_authenticator=lambda: open_delegated(
                url=authority.url,
                signing_key=lambda: usual_keys().signing,
                timeout_s=20,
                max_connections=100,
                allow_no_id=False,
            ),
            limits=Limits(leaving_s=0, max_in_flight=at_once),
            deadline_s=20,
        ) as service,
    ):
        yield Scene(service, double, gate)


async def _recognise(gate: Gate, _: object) -> web.StreamResponse:
    await gate.pass_("auth")
    return web.json_response({"id": "tenant-a"})


@asynccontextmanager
async def _served(double: LiveKitDouble, gate: Gate) -> AsyncIterator[str]:
    """Serve a LiveKit that is told nothing before the gate lets it."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        await gate.pass_(request.path.rpartition("/")[2])
        return await handler(request)

    app = double.app()
    app.middlewares.append(through)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


Leave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, bytes]]


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return b""


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Say that nothing more will come, and hear the service out."""
    with suppress(OSError):
        writer.write_eof()
    received = await reader.read()
    await close(reader, writer)
    return received


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    will_reset(writer)
    return await close(reader, writer)


WAYS: Mapping[str, Leave] = {"closing": close, "half-closing": half_close, "resetting": reset}
