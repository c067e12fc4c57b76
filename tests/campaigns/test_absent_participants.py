"""Crowds who ask for somebody who is not there, while LiveKit says nothing to their mutes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, nullcontext
from functools import partial

import aiohttp
import pytest
from attrs import evolve

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.rooms import ALICE, NO_TRACK, publish
from domain.caller import TenantId
from domain.room import RoomName
from entrypoints.http.limits import Limits
from tests.campaigns.figures import Figures, Length
from tests.contract.livekit_over_http import LiveKit
from tests.service import Answer, Service, running_service

pytestmark = pytest.mark.campaign("absent participants")

CROWD = 200
TOKEN = "token-of-a"
ABSENT, OVERLOADED = (404, "PARTICIPANT_NOT_FOUND"), (503, "OVERLOADED")
PATIENCE_S = 30.0
"""More than a slow machine takes; how long it may take is for ``make soak`` to judge."""
Serve = Callable[..., Awaitable[Service]]


@pytest.fixture
async def serve(livekit: LiveKit) -> AsyncIterator[Serve]:
    known = ApiSecretsAuthenticator(lambda: ApiSecrets({TOKEN: TenantId("tenant-a")}))
    async with AsyncExitStack() as stack:

        async def start(max_in_flight: int) -> Service:
            service = running_service(
                open_gateway=lambda: open_gateway(
                    url=livekit.url,
                    api_key=partial(ApiKey, name=livekit.api_key, secret=livekit.api_secret),
                    bounds=Bounds(max_connections=512, timeout_s=PATIENCE_S),
                ),
                open_authenticator=lambda: nullcontext(known),
                limits=Limits(
                    leaving_s=0, max_in_flight=max_in_flight, request_timeout_s=PATIENCE_S
                ),
                deadline_s=PATIENCE_S,
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


async def crowd(service: Service, room: RoomName) -> tuple[Counter[tuple[int, str]], list[float]]:
    """Ask for as many as are not there, all at once; tell the answers and their seconds."""

    async def ask(number: int) -> tuple[Answer, float]:
        begun_s = time.perf_counter()
        answer = await service.mute(
            token=TOKEN,
            room_name=room,
            participant_identity=f"nobody-{number}",
            track_sid=NO_TRACK,
        )
        return answer, time.perf_counter() - begun_s

    seen = await asyncio.gather(*(ask(number) for number in range(CROWD)))
    return Counter(answer.told for answer, _ in seen), [seconds for _, seconds in seen]


class TestAbsentParticipants:
    async def test_are_told_to_a_crowd_at_once(
        self, serve: Serve, room: RoomName, length: Length, figures: Figures
    ) -> None:
        service = await serve(max_in_flight=512)
        await crowd(service, room)  # whose connections are kept, as those of a backend are
        for _ in range(length(short=1, full=20)):
            answers, seconds = await crowd(service, room)
            assert answers == {ABSENT: CROWD}
            figures.at_most("s to the last of 200 answers", max(seconds), 1.0, timed=True)

    @pytest.mark.parametrize("max_in_flight", [1, 20])
    async def test_are_told_to_as_many_as_there_is_room_for(
        self, serve: Serve, room: RoomName, livekit: LiveKit, max_in_flight: int, figures: Figures
    ) -> None:
        service = await serve(max_in_flight)
        answers, seconds = await crowd(service, room)
        assert set(answers) == {ABSENT, OVERLOADED}
        figures.at_least("answers by those admitted", answers[ABSENT], max_in_flight)
        figures.at_most("s to the last of all answers", max(seconds), 1.0, timed=True)
        alice, sid = await publish(livekit.rooms, ALICE, room)
        good = await service.mute(
            token=TOKEN, room_name=room, participant_identity=alice.identity, track_sid=sid
        )
        assert good.status == 200

    @pytest.mark.parametrize("livekit", ["double"], indirect=True)
    @pytest.mark.parametrize("max_in_flight", [20, 512])
    async def test_cost_one_call_more_each(
        self, serve: Serve, room: RoomName, double: LiveKitDouble, max_in_flight: int
    ) -> None:
        service = await serve(max_in_flight)
        answers, _ = await crowd(service, room)
        admitted = answers[ABSENT]
        assert admitted >= max_in_flight or admitted == CROWD
        assert double.calls["GetParticipant"] == admitted
        assert max(double.calls["MutePublishedTrack"], double.calls["ListRooms"]) <= admitted
