"""A real LiveKit that is killed and restarted, or stopped for a while, under load."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from attrs import define, field, frozen
from livekit.api import ListRoomsRequest, LiveKitAPI

from contract.rooms import ALICE, publish
from domain.track import Participant, TrackSid
from tests.robustness.metrics import Length, Metrics
from tests.support.command import Run, Running
from tests.support.livekit_server import LiveKitServer
from tests.support.rooms.real import RealRooms, rooms_on
from tests.support.service import MUTE
from tests.support.timeouts import scaled

pytestmark = [pytest.mark.robustness("LiveKit outages"), pytest.mark.livekit_server]

TIMEOUT_S = 1.0
OUTAGE_S = 2.5  # time for two timeouts
CLIENTS = 20
CONNECTIONS = 10
TOKEN = "token-of-a"
Outage = Callable[[LiveKitServer], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed(server: LiveKitServer) -> AsyncIterator[None]:
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def stopped(server: LiveKitServer) -> AsyncIterator[None]:
    with server.stopped():
        yield


OUTAGES: Mapping[str, tuple[Outage, str]] = {
    "killed": (killed, "ROOM_NOT_FOUND"),
    "stopped": (stopped, "OK"),
}
"""The outages, and the code after each; a restarted LiveKit has no rooms."""


@frozen
class Result:
    """When a request was sent and answered, and how."""

    begun_s: float
    ended_s: float
    status: int
    code: str


@define
class Load:
    """Clients that repeat a mute request with short pauses."""

    url: str
    fields: dict[str, object]
    results: list[Result] = field(init=False, factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            clients = [asyncio.create_task(self._run(session)) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                for client in clients:
                    client.cancel()
                await asyncio.wait(clients)

    async def _run(self, session: aiohttp.ClientSession) -> None:
        while True:
            begun_s = time.monotonic()
            async with session.post(f"{self.url}{MUTE}", json=self.fields) as answer:
                code = (await answer.json()).get("code", "OK")
            self.results.append(Result(begun_s, time.monotonic(), answer.status, code))
            await asyncio.sleep(0.02)

    async def first(self, condition: Callable[[Result], bool], *, after_s: float) -> Result:
        """Wait for the first result after a time that fulfils a condition."""
        async with asyncio.timeout(scaled(60)):
            while True:
                for result in self.results:
                    if result.ended_s > after_s and condition(result):
                        return result
                await asyncio.sleep(0.005)


def sockets(running: Running, port: int) -> int:
    """Count the connections of a process to a port of loopback, established or not."""
    own = set()
    for each in Path(f"/proc/{running.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            own.add(str(each.readlink()))
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # The kernel lists a socket twice where another one has closed while the table is read.
    connected = {f"socket:[{row[9]}]" for row in table if row[2].endswith(f":{port:04X}")}
    return len(connected & own)


async def answers_again(server: LiveKitServer) -> float:
    """Return when LiveKit answers a ListRooms call again."""
    async with LiveKitAPI(server.url, server.api_key, server.api_secret, failover=False) as api:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await api.room.list_rooms(ListRoomsRequest(names=["any"]))
                    return time.monotonic()
            await asyncio.sleep(0.002)


@frozen
class Site:
    """A LiveKit, its rooms, and the command before it."""

    server: LiveKitServer
    rooms: RealRooms
    service: Running

    def sockets(self) -> int:
        return sockets(self.service, self.server.port)


@pytest.fixture
async def site(livekit_server: Callable[[bool], LiveKitServer], start: Run) -> AsyncIterator[Site]:
    remote_unmute = False  # plays no part
    server = livekit_server(remote_unmute)
    service = start(
        LIVEKIT_URL=server.url,
        LIVEKIT_API_KEY=server.api_key,
        LIVEKIT_API_SECRET=server.api_secret,
        LIVEKIT_TIMEOUT_SECONDS=str(TIMEOUT_S),
        LIVEKIT_MAX_CONNECTIONS=str(CONNECTIONS),
        AUTH_API_SECRET=TOKEN,
        AUTH_API_SECRET_ID="tenant-a",
    )
    async with rooms_on(server) as rooms:
        yield Site(server, rooms, service)


class TestOutages:
    @pytest.mark.parametrize("kind", list(OUTAGES))
    async def test_are_reported_and_end_once_livekit_is_back(
        self, kind: str, site: Site, length: Length, metrics: Metrics
    ) -> None:
        outage, afterwards = OUTAGES[kind]
        for _ in range(length(short=1, full=10)):
            room = await site.rooms.open(metadata='{"auth_id": "tenant-a"}')
            alice, sid = await publish(site.rooms, ALICE, room)
            load = Load(site.service.url, mute_fields(alice, sid))
            async with load.running():
                await load.first(lambda result: result.code == "OK", after_s=0)
                async with outage(site.server):
                    away_s, most = time.monotonic(), 0
                    while time.monotonic() < away_s + OUTAGE_S:
                        most = max(most, site.sockets())
                        await asyncio.sleep(0.05)
                    back = asyncio.create_task(answers_again(site.server))
                    back_s = time.monotonic()
                first = await load.first(lambda result: result.code == afterwards, after_s=back_s)
                up_s = await back
            before = [each for each in load.results if each.ended_s <= back_s]
            during = [each for each in before if each.begun_s >= away_s]
            outcomes = {(each.status, each.code) for each in during}
            assert outcomes == {(500, "LIVEKIT_UNAVAILABLE")}
            assert not [each for each in before if each.status == HTTPStatus.NOT_FOUND]
            late_s = max(each.ended_s - each.begun_s for each in load.results) - TIMEOUT_S
            metrics.note("responses during the outage", len(during))
            metrics.at_most("connections to LiveKit", most, CONNECTIONS)
            metrics.at_most("s past the timeout", late_s, 0.1, timed=True)
            metrics.at_most(
                "s until LiveKit is called again", first.ended_s - up_s, 0.2, timed=True
            )
        assert site.sockets() <= CONNECTIONS
        assert not [event for event in site.service.events if "stack" in event]


def mute_fields(participant: Participant, sid: TrackSid) -> dict[str, object]:
    return {
        "room_name": participant.room,
        "participant_identity": participant.identity,
        "track_sid": sid,
        "muted": True,
    }
