"""What a clock tells of secrets and of rooms: nothing."""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from random import Random
from statistics import median

import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from adapters.identity.api_secrets import ApiSecrets
from contract.livekit_rooms import LiveKitRooms
from domain.caller import TenantId
from domain.room import RoomName
from tests.campaigns.figures import Figures, Length
from tests.campaigns.stopwatch import apart
from tests.campaigns.tenancy import double_of, token_of
from tests.command import Run
from tests.service import DEMO_WISH, MUTE

pytestmark = [pytest.mark.campaign("timing"), pytest.mark.soak]

FULL = 20_000
T = 4.5
SHARED = (0, 8, 16, 31)
SECRET = secrets.token_hex(24)
"""Longer than any share, for tokens that come again are faster, whatever they are."""
ROOMS: Mapping[str, str | None] = {
    "missing": None,
    "foreign": '{"auth_id": "tenant-b"}',
    "unowned": "",
    "malformed": '{"auth_id": "tenant-a", "auth_id": "tenant-a"}',
}
WARM_UP = 500


def like_the_secret(shared: int) -> str:
    """Make a token that shares so many bytes with the secret, and not the next."""
    rest = secrets.token_hex(24)
    while rest[shared] == SECRET[shared]:
        rest = secrets.token_hex(24)
    return SECRET[:shared] + rest[shared:]


def in_turns(number: int) -> list[tuple[str, str]]:
    """Make tokens of each share, in another order each time, that lie in memory all alike."""
    random = Random(1)  # noqa: S311 - no secret
    shares = [each for _ in range(number) for each in random.sample(SHARED, len(SHARED))]
    tokens = "\n".join(map(like_the_secret, shares)).split("\n")
    return list(zip(map(str, shares), tokens, strict=True))


def times_of(tell: Callable[[str], object], number: int) -> Mapping[str, list[float]]:
    """Take the time of each token apart, none of them used twice."""
    times: dict[str, list[float]] = {str(shared): [] for shared in SHARED}
    for _, token in in_turns(WARM_UP):
        tell(token)
    for shared, token in in_turns(number):
        begun_ns = time.perf_counter_ns()
        tell(token)
        passed_ns = time.perf_counter_ns() - begun_ns
        times[shared].append(passed_ns)
    return times


def compare_naively(token: str) -> bool:
    return all(one == other for one, other in zip(token, SECRET, strict=True))


def ask(connection: socket.socket, token: str) -> None:
    """Ask once and read the whole answer, which is a refusal."""
    body = json.dumps(DEMO_WISH).encode()
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(f"{head}{kind}".encode() + body)
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(4096)
    assert received.startswith(b"HTTP/1.1 401 ")


class TestSecrets:
    def test_could_be_told_apart_by_this_measure(self, length: Length, figures: Figures) -> None:
        """As they are if compared byte by byte, up to the first that differs."""
        found = apart(times_of(compare_naively, length(short=100, full=FULL) // 10))
        figures.at_least("|t|, compared naively", min(found.values()), T, timed=True)

    def test_take_the_same_time_however_right_they_are(
        self, length: Length, figures: Figures
    ) -> None:
        known = {secrets.token_hex(24): TenantId(f"tenant-{each}") for each in range(100)}
        holder = ApiSecrets({**known, SECRET: TenantId("tenant-a")}).holder
        assert holder(SECRET) == "tenant-a"
        found = apart(times_of(holder, length(short=100, full=FULL)))
        for pair, t in found.items():
            figures.at_most(f"|t|, {pair} bytes shared", t, T, timed=True)

    def test_take_the_same_time_over_http(
        self, start: Run, length: Length, figures: Figures
    ) -> None:
        known = json.dumps([{"id": "tenant-a", "secret": SECRET}])
        service = URL(start("--gateway", "in-memory", AUTH_API_SECRETS_JSON=known).url)
        with closing(socket.create_connection((service.host, service.port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times = times_of(partial(ask, connection), length(short=100, full=FULL))
        for shared, of_share in times.items():
            figures.note(f"ms over HTTP, {shared} bytes shared", median(of_share) / 1e6)
        for pair, t in apart(times).items():
            figures.at_most(f"|t| over HTTP, {pair} bytes shared", t, T, timed=True)


@asynccontextmanager
async def asking_of_rooms(start: Run) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    """Run the service before a LiveKit double, and ask it of rooms on one connection."""
    double = double_of(LiveKitRooms())
    for name, metadata in ROOMS.items():
        if metadata is not None:
            double.rooms.put_room(RoomName(name), metadata=metadata)
    known = json.dumps([{"id": "tenant-a", "secret": token_of("tenant-a")}])
    async with TestServer(double.app()) as livekit:
        service = URL(
            start(
                LIVEKIT_URL=str(livekit.make_url("/")),
                LIVEKIT_API_KEY=double.api_key,
                LIVEKIT_API_SECRET=double.api_secret,
                AUTH_API_SECRETS_JSON=known,
            ).url
        )
        reader, writer = await asyncio.open_connection(service.host, service.port)
        head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        token = f"Authorization: Bearer {token_of('tenant-a')}\r\n"

        async def ask_of(room: str) -> bytes:
            body = json.dumps({**DEMO_WISH, "room_name": room})
            writer.write(f"{head}{token}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            return await reader.readuntil(b"}")

        yield ask_of
        writer.close()
        await writer.wait_closed()


class TestRooms:
    async def test_that_are_not_the_callers_take_the_same_time(
        self, start: Run, length: Length, figures: Figures
    ) -> None:
        times: dict[str, list[float]] = {name: [] for name in ROOMS}
        random, number = Random(1), length(short=100, full=FULL)  # noqa: S311 - no secret
        async with asking_of_rooms(start) as ask_of:
            for turn in range(-WARM_UP, number):
                for name in random.sample([*ROOMS], len(ROOMS)):
                    begun_ns = time.perf_counter_ns()
                    answer = await ask_of(name)
                    passed_ns = time.perf_counter_ns() - begun_ns
                    assert b"ROOM_NOT_FOUND" in answer
                    if turn >= 0:
                        times[name].append(passed_ns / 1e6)
        medians = {name: median(of_room) for name, of_room in times.items()}
        for name, of_room in medians.items():
            figures.note(f"ms, {name} rooms", of_room)
        most = max(medians.values()) / min(medians.values()) - 1
        figures.at_most("medians apart, of the least", most, 0.1, timed=True)
