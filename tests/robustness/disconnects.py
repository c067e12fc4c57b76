"""A service whose LiveKit and authentication service can be held, and ways to disconnect."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define, evolve, field, frozen

from adapters.identity.delegated import open_delegated
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.adapters.identity.cases.authentication_service import AuthenticationService, usual_keys
from tests.robustness.clients import NO_TIMEOUTS
from tests.support.service import DEMO_REQUEST, MUTE, Service, running_service
from tests.support.sockets import will_reset
from tests.support.timeouts import HOUR_S

TOKEN = "token-of-a"
ALICE = Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice"))
MICROPHONE = TrackSid("TR_demo_mic")
BODY = json.dumps(DEMO_REQUEST).encode()
REQUEST = (
    f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY


@define
class Gate:
    """Holds one kind of call to LiveKit or to the authentication service."""

    held: str = ""
    """The last segment of the path of the calls that are held."""
    delay_s: float = 0.0
    arrived: asyncio.Event = field(init=False, factory=asyncio.Event)
    opened: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def wait(self, call: str) -> None:
        if call == self.held:
            self.arrived.set()
            await self.opened.wait()
        await asyncio.sleep(self.delay_s)


@frozen
class Site:
    """A service that admits one request at a time, its LiveKit, and the gate before that."""

    service: Service
    double: LiveKitDouble
    gate: Gate

    @property
    def is_muted(self) -> bool:
        return self.double.rooms.tracks[ALICE][MICROPHONE].muted

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - nothing signals the condition
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running_site(gate: Gate, *, max_in_flight: int = 1) -> AsyncIterator[Site]:
    rooms = LiveKitRooms(remote_unmute=True, absent_wait_s=HOUR_S)
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, PublishedTrack(sid=MICROPHONE, muted=False))
    secret = "a-secret-of-at-least-32-characters"
    double = LiveKitDouble(api_key="devkey", api_secret=secret, rooms=rooms)
    authentication = AuthenticationService(respond=partial(_recognise, gate))
    async with (
        authentication.running(),
        _served(double, gate) as url,
        running_service(
            open_gateway=lambda: open_gateway(
                url=url,
                api_key=lambda: ApiKey(name=double.api_key, secret=secret),
                limits=LiveKitLimits(max_connections=100, probe_delay_s=HOUR_S),
            ),
            open_authenticator=lambda: open_delegated(
                url=authentication.url,
                signing_key=lambda: usual_keys().signing,
                timeout_s=HOUR_S,
                max_connections=100,
                allow_no_id=False,
            ),
            limits=evolve(NO_TIMEOUTS, max_in_flight=max_in_flight),
            timeout_s=HOUR_S,
        ) as service,
    ):
        yield Site(service, double, gate)


async def _recognise(gate: Gate, _: object) -> web.StreamResponse:
    await gate.wait("auth")
    return web.json_response({"id": "tenant-a"})


@asynccontextmanager
async def _served(double: LiveKitDouble, gate: Gate) -> AsyncIterator[str]:
    """Serve a LiveKit whose calls wait at the gate first."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        await gate.wait(request.path.rpartition("/")[2])
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


Disconnect = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, bytes]]


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return b""


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Close the sending half, and read to the end."""
    with suppress(OSError):
        writer.write_eof()
    received = await reader.read()
    await close(reader, writer)
    return received


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    will_reset(writer)
    return await close(reader, writer)


WAYS: Mapping[str, Disconnect] = {"closing": close, "half-closing": half_close, "resetting": reset}
