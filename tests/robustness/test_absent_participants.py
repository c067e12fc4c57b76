"""Many mutes of absent participants at once, which LiveKit leaves without an answer."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, nullcontext
from functools import partial

import aiohttp
import pytest
from attrs import define, evolve, field
from google.protobuf.message import Message
from livekit.protocol.room import RoomParticipantIdentity
from typing_extensions import override

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from application.ports.authenticator import Authenticator
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants
from contract.rooms import ALICE, NO_TRACK, publish
from domain.caller import TenantId
from domain.room import RoomName
from tests.contract.livekit_over_http import LiveKit
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.metrics import Length, Metrics
from tests.robustness.tenants import double_of
from tests.support.service import Answer, Service, running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("absent participants")

REQUESTS = 200
TOKEN = "token-of-a"
ABSENT, OVERLOADED = (404, "PARTICIPANT_NOT_FOUND"), (503, "OVERLOADED")
UNAVAILABLE = (500, "LIVEKIT_UNAVAILABLE")
Serve = Callable[..., Awaitable[Service]]


@define(kw_only=True)
class GatedRooms(LiveKitRooms):
    """Rooms whose participants can be looked up once the gate is open."""

    gate: asyncio.Event = field(init=False, factory=asyncio.Event)

    @override
    async def perform(self, asked: Message, grants: Grants) -> Message:
        if isinstance(asked, RoomParticipantIdentity):
            await self.gate.wait()
        return await super().perform(asked, grants)


@pytest.fixture
def double() -> LiveKitDouble:
    return double_of(GatedRooms(absent_wait_s=2 * HOUR_S))


def gate_of(double: LiveKitDouble) -> asyncio.Event:
    assert isinstance(double.rooms, GatedRooms)
    return double.rooms.gate


@pytest.fixture
def open_gate(double: LiveKitDouble) -> None:
    gate_of(double).set()


@pytest.fixture
async def serve(livekit: LiveKit) -> AsyncIterator[Serve]:
    known = ApiSecretsAuthenticator(lambda: ApiSecrets({TOKEN: TenantId("tenant-a")}))
    async with AsyncExitStack() as stack:

        async def start(max_in_flight: int, authenticator: Authenticator = known) -> Service:
            service = running_service(
                open_gateway=lambda: open_gateway(
                    url=livekit.url,
                    api_key=partial(ApiKey, name=livekit.api_key, secret=livekit.api_secret),
                    limits=LiveKitLimits(max_connections=512),
                ),
                open_authenticator=lambda: nullcontext(authenticator),
                limits=evolve(NO_TIMEOUTS, max_in_flight=max_in_flight),
                timeout_s=HOUR_S,
            )
            clients = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            return evolve(
                await stack.enter_async_context(service),
                session=await stack.enter_async_context(clients),
            )

        yield start


@pytest.fixture
async def room(livekit: LiveKit) -> RoomName:
    return await livekit.rooms.open(metadata='{"auth_id": "tenant-a"}')


def mute_absent(service: Service, room: RoomName) -> list[asyncio.Task[Answer]]:
    """Send a mute for each of many absent participants, all at once."""
    return [
        asyncio.create_task(
            service.mute(
                token=TOKEN,
                room_name=room,
                participant_identity=f"nobody-{number}",
                track_sid=NO_TRACK,
            )
        )
        for number in range(REQUESTS)
    ]


async def outcomes(tasks: list[asyncio.Task[Answer]]) -> Counter[tuple[int, str]]:
    return Counter(answer.outcome for answer in await asyncio.gather(*tasks))


async def mute_absent_until_all_are_reported(
    service: Service, room: RoomName, livekit: LiveKit
) -> None:
    """Mute absent participants; beside other work, two nodes may be unavailable for a moment."""
    for _ in range(0 if livekit.is_in_time else 4):
        found = await outcomes(mute_absent(service, room))
        if found == {ABSENT: REQUESTS}:
            return
        assert found.keys() <= {ABSENT, UNAVAILABLE}
    assert await outcomes(mute_absent(service, room)) == {ABSENT: REQUESTS}


async def mute_alice(service: Service, livekit: LiveKit, room: RoomName) -> int:
    alice, sid = await publish(livekit.rooms, ALICE, room)
    answer = await service.mute(
        token=TOKEN, room_name=room, participant_identity=alice.identity, track_sid=sid
    )
    return answer.status


class TestAbsentParticipants:
    @pytest.mark.usefixtures("open_gate")
    async def test_are_reported_to_all_at_once(
        self,
        serve: Serve,
        room: RoomName,
        livekit: LiveKit,
        length: Length,
        metrics: Metrics,
    ) -> None:
        service = await serve(max_in_flight=512)
        await mute_absent_until_all_are_reported(service, room, livekit)  # opens the connections
        for _ in range(length(short=1, full=20)):
            begun_s = time.perf_counter()
            await mute_absent_until_all_are_reported(service, room, livekit)
            metrics.at_most("s to 200 responses", time.perf_counter() - begun_s, 1.0, timed=True)

    @pytest.mark.parametrize("livekit", ["double"], indirect=True)
    @pytest.mark.parametrize("max_in_flight", [1, 20, 512])
    async def test_are_looked_up_once_for_each_admitted_request(
        self,
        serve: Serve,
        room: RoomName,
        double: LiveKitDouble,
        livekit: LiveKit,
        max_in_flight: int,
    ) -> None:
        """All others are rejected while the admitted requests wait for LiveKit."""
        service = await serve(max_in_flight)
        admitted = min(max_in_flight, REQUESTS)
        tasks = mute_absent(service, room)
        while sum(task.done() for task in tasks) < REQUESTS - admitted:  # noqa: ASYNC110 - many tasks
            await asyncio.sleep(0.01)
        gate_of(double).set()
        expected = {ABSENT: admitted, OVERLOADED: REQUESTS - admitted}
        assert await outcomes(tasks) == {key: number for key, number in expected.items() if number}
        assert double.calls["GetParticipant"] == admitted
        assert double.calls["MutePublishedTrack"] <= admitted
        assert double.calls["ListRooms"] <= admitted
        assert await mute_alice(service, livekit, room) == 200

    @pytest.mark.parametrize("livekit", ["double"], indirect=True)
    async def test_of_a_missing_room_are_reported_though_lookups_hang(
        self, serve: Serve, room: RoomName, double: LiveKitDouble, livekit: LiveKit
    ) -> None:
        """To callers without an id, as with LiveKit's option to look participants up by psrpc."""
        service = await serve(max_in_flight=512, authenticator=AnonymousAuthenticator())
        missing = RoomName(f"{room}, which is missing")
        assert await outcomes(mute_absent(service, missing)) == {ABSENT: REQUESTS}
        assert max(double.calls.values()) <= REQUESTS
        assert await mute_alice(service, livekit, room) == 200

    @pytest.mark.parametrize(
        "livekit", [pytest.param("real", marks=pytest.mark.livekit_server)], indirect=True
    )
    @pytest.mark.parametrize("max_in_flight", [1, 20])
    async def test_are_reported_to_the_admitted_by_a_real_livekit(
        self, serve: Serve, room: RoomName, livekit: LiveKit, max_in_flight: int, metrics: Metrics
    ) -> None:
        service = await serve(max_in_flight)
        found = await outcomes(mute_absent(service, room))
        assert set(found) <= {ABSENT, OVERLOADED}
        metrics.at_least("responses to admitted requests", found[ABSENT], max_in_flight)
        assert await mute_alice(service, livekit, room) == 200
