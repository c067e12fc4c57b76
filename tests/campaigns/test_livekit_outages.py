"""A real LiveKit that is killed and started again, or frozen for a while, under load."""

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
from tests.campaigns.figures import Figures, Length
from tests.command import Run, Running
from tests.livekit_server import LiveKitServer
from tests.rooms.real import RealRooms, rooms_on
from tests.service import MUTE

pytestmark = [pytest.mark.campaign("LiveKit outages"), pytest.mark.livekit_server]

TIMEOUT_S = 1.0
AWAY_S = 2.5  # time to be asked and given up on twice
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
        await asyncio.to_thread(server.start_again)


@asynccontextmanager
async def stopped(server: LiveKitServer) -> AsyncIterator[None]:
    with server.stopped():
        yield


OUTAGES: Mapping[str, tuple[Outage, str]] = {
    "killed": (killed, "ROOM_NOT_FOUND"),
    "frozen": (stopped, "OK"),
}
"""How LiveKit goes away, and what is told when it is back; started anew, it knows no room."""


@frozen
class Seen:
    """A client's question and its answer."""

    begun_s: float
    ended_s: float
    status: int
    code: str


@define
class Load:
    """Clients that ask for the same again and again, each after a short rest."""

    url: str
    wish: dict[str, object]
    seen: list[Seen] = field(init=False, factory=list)

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            clients = [asyncio.create_task(self._ask_on(session)) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                for client in clients:
                    client.cancel()
                await asyncio.wait(clients)

    async def _ask_on(self, session: aiohttp.ClientSession) -> None:
        while True:
            begun_s = time.monotonic()
            async with session.post(f"{self.url}{MUTE}", json=self.wish) as answer:
                code = (await answer.json()).get("code", "OK")
            self.seen.append(Seen(begun_s, time.monotonic(), answer.status, code))
            await asyncio.sleep(0.02)

    async def first(self, good: Callable[[Seen], bool], *, after_s: float) -> Seen:
        """Wait for the first answer of a kind that came after a time."""
        async with asyncio.timeout(10):
            while True:
                for seen in self.seen:
                    if seen.ended_s > after_s and good(seen):
                        return seen
                await asyncio.sleep(0.005)


def sockets(running: Running, port: int) -> int:
    """Count a process's connections to a port of loopback, those that are being made included."""
    own = set()
    for each in Path(f"/proc/{running.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            own.add(str(each.readlink()))
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and f"socket:[{row[9]}]" in own for row in table)


async def answers_again(server: LiveKitServer) -> float:
    """Tell when LiveKit itself has answered one call of the kind that the service makes first."""
    async with LiveKitAPI(server.url, server.api_key, server.api_secret, failover=False) as api:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await api.room.list_rooms(ListRoomsRequest(names=["any"]))
                    return time.monotonic()
            await asyncio.sleep(0.002)


@frozen
class Site:
    """A LiveKit, its rooms, and a service before it that is a process of its own."""

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
    async def test_are_told_as_such_and_are_over_once_livekit_is_back(
        self, kind: str, site: Site, length: Length, figures: Figures
    ) -> None:
        outage, afterwards = OUTAGES[kind]
        for _ in range(length(short=1, full=10)):
            room = await site.rooms.open(metadata='{"auth_id": "tenant-a"}')
            alice, sid = await publish(site.rooms, ALICE, room)
            load = Load(site.service.url, wish(alice, sid))
            async with load.on():
                await load.first(lambda seen: seen.code == "OK", after_s=0)
                async with outage(site.server):
                    away_s, most = time.monotonic(), 0
                    while time.monotonic() < away_s + AWAY_S:
                        most = max(most, site.sockets())
                        await asyncio.sleep(0.05)
                    back = asyncio.create_task(answers_again(site.server))
                    back_s = time.monotonic()
                first = await load.first(lambda seen: seen.code == afterwards, after_s=back_s)
                up_s = await back
            before = [seen for seen in load.seen if seen.ended_s <= back_s]
            during = [seen for seen in before if seen.begun_s >= away_s]
            told = {(seen.status, seen.code) for seen in during}
            assert told == {(500, "LIVEKIT_UNAVAILABLE")}
            assert not [seen for seen in before if seen.status == HTTPStatus.NOT_FOUND]
            late_s = max(seen.ended_s - seen.begun_s for seen in load.seen) - TIMEOUT_S
            figures.note("answers while it was away", len(during))
            figures.at_most("connections to LiveKit", most, CONNECTIONS)
            figures.at_most("s past the deadline", late_s, 0.1, timed=True)
            figures.at_most("s until it was noticed", first.ended_s - up_s, 0.2, timed=True)
        assert site.sockets() <= CONNECTIONS
        assert not [event for event in site.service.events if "stack" in event]


def wish(participant: Participant, sid: TrackSid) -> dict[str, object]:
    return {
        "room_name": participant.room,
        "participant_identity": participant.identity,
        "track_sid": sid,
        "muted": True,
    }
