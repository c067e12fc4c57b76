"""Response times reveal neither secrets nor rooms."""

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
from domain.caller import IdentifiedCaller, TenantId
from domain.room import RoomName
from tests.robustness.metrics import Length, Metrics
from tests.robustness.tenants import double_of, token_of
from tests.robustness.timing_statistics import greatest_t
from tests.support.command import Run
from tests.support.service import DEMO_REQUEST, MUTE

pytestmark = [pytest.mark.robustness("timing"), pytest.mark.soak]

FULL = 20_000
MOST_T = 4.5
SHARED = (0, 8, 16, 31)
SECRET = secrets.token_hex(24)
"""Longer than any shared prefix, because tokens that are repeated are faster."""
ROOMS: Mapping[str, str | None] = {
    "missing": None,
    "foreign": '{"auth_id": "tenant-b"}',
    "unowned": "",
    "malformed": '{"auth_id": "tenant-a", "auth_id": "tenant-a"}',
}
WARM_UP = 500


def similar_token(shared: int) -> str:
    """Return a token that shares a prefix of exactly so many characters with the secret."""
    rest = secrets.token_hex(24)
    while rest[shared] == SECRET[shared]:
        rest = secrets.token_hex(24)
    return SECRET[:shared] + rest[shared:]


def shuffled_tokens(number: int) -> list[tuple[str, str]]:
    """Return tokens of each prefix length in random order, allocated in the same way."""
    random = Random(1)  # noqa: S311 - no secret
    shares = [each for _ in range(number) for each in random.sample(SHARED, len(SHARED))]
    tokens = "\n".join(map(similar_token, shares)).split("\n")
    return list(zip(map(str, shares), tokens, strict=True))


def times_of(check: Callable[[str], object], number: int) -> Mapping[str, list[float]]:
    """Measure the check of each token; none is used twice."""
    times: dict[str, list[float]] = {str(shared): [] for shared in SHARED}
    for _, token in shuffled_tokens(WARM_UP):
        check(token)
    for shared, token in shuffled_tokens(number):
        begun_ns = time.perf_counter_ns()
        check(token)
        passed_ns = time.perf_counter_ns() - begun_ns
        times[shared].append(passed_ns)
    return times


def compare_naively(token: str) -> bool:
    return all(one == other for one, other in zip(token, SECRET, strict=True))


def request(connection: socket.socket, token: str) -> None:
    """Send a mute and read the whole response, which is 401."""
    body = json.dumps(DEMO_REQUEST).encode()
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(f"{head}{kind}".encode() + body)
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(4096)
    assert received.startswith(b"HTTP/1.1 401 ")


class TestSecrets:
    def test_would_differ_in_a_naive_comparison(self, length: Length, metrics: Metrics) -> None:
        """The statistics detect a comparison that stops at the first difference."""
        found = greatest_t(times_of(compare_naively, length(short=100, full=FULL) // 10))
        metrics.at_least("|t|, compared naively", min(found.values()), MOST_T, timed=True)

    def test_take_the_same_time_for_every_shared_prefix(
        self, length: Length, metrics: Metrics
    ) -> None:
        known = {secrets.token_hex(24): TenantId(f"tenant-{each}") for each in range(100)}
        holder = ApiSecrets({**known, SECRET: TenantId("tenant-a")}).holder
        identity = holder(SECRET)
        assert identity is not None
        assert identity.caller == IdentifiedCaller(id="tenant-a")
        found = greatest_t(times_of(holder, length(short=100, full=FULL)))
        for pair, t in found.items():
            metrics.at_most(f"|t|, {pair} bytes shared", t, MOST_T, timed=True)

    def test_take_the_same_time_over_http(
        self, start: Run, length: Length, metrics: Metrics
    ) -> None:
        known = json.dumps([{"id": "tenant-a", "secret": SECRET}])
        service = URL(start("--gateway", "in-memory", AUTH_API_SECRETS_JSON=known).url)
        with closing(socket.create_connection((service.host, service.port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            times = times_of(partial(request, connection), length(short=100, full=FULL))
        for shared, of_share in times.items():
            metrics.note(f"ms over HTTP, {shared} bytes shared", median(of_share) / 1e6)
        for pair, t in greatest_t(times).items():
            metrics.at_most(f"|t| over HTTP, {pair} bytes shared", t, MOST_T, timed=True)


@asynccontextmanager
async def requesting_rooms(start: Run) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    """Run the service before a LiveKit double; yield a function that sends mutes to it."""
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

        async def mute_in(room: str) -> bytes:
            body = json.dumps({**DEMO_REQUEST, "room_name": room})
            writer.write(f"{head}{token}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            return await reader.readuntil(b"}")

        yield mute_in
        writer.close()
        await writer.wait_closed()


class TestRooms:
    async def test_of_others_take_the_same_time_whatever_the_reason(
        self, start: Run, length: Length, metrics: Metrics
    ) -> None:
        times: dict[str, list[float]] = {name: [] for name in ROOMS}
        random, number = Random(1), length(short=100, full=FULL)  # noqa: S311 - no secret
        async with requesting_rooms(start) as mute_in:
            for turn in range(-WARM_UP, number):
                for name in random.sample([*ROOMS], len(ROOMS)):
                    begun_ns = time.perf_counter_ns()
                    answer = await mute_in(name)
                    passed_ns = time.perf_counter_ns() - begun_ns
                    assert b"ROOM_NOT_FOUND" in answer
                    if turn >= 0:
                        times[name].append(passed_ns / 1e6)
        medians = {name: median(of_room) for name, of_room in times.items()}
        for name, of_room in medians.items():
            metrics.note(f"ms, {name} rooms", of_room)
        most = max(medians.values()) / min(medians.values()) - 1
        metrics.at_most("difference of medians, of the least", most, 0.1, timed=True)
