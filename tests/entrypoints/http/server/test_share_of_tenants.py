"""A tenant may take all of MAX_IN_FLIGHT while nobody else wants in, and keeps nobody out."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from aiohttp import web
from attrs import evolve, field, frozen
from typing_extensions import override

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import Authenticator, Identity, PresentedRequest
from domain.caller import AnonymousCaller, IdentifiedCaller, TenantId
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from entrypoints.http.server.errors import OverloadedError
from entrypoints.http.server.traffic import Traffic
from tests.adapters.identity.cases.authentication_service import AuthenticationService, AuthRequest
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve, patient
from tests.entrypoints.http.delegated import CountingGateway, serving
from tests.robustness.clients import Client
from tests.support.service import Answer, Service
from tests.support.virtual_time import run_in_virtual_time

OVERLOADED = (503, "OVERLOADED")
ALL, SHARE = 8, 4
TOO_MANY = "too many requests are in flight (MAX_IN_FLIGHT); retry later"
MUTE_WITHOUT_BODY = (
    b"POST /livekit/participant/mute HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer b\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
)
HAS_ITS_SHARE = (
    "too many requests are in flight, and the tenant has its share (MAX_IN_FLIGHT_PER_TENANT);"
    " retry later"
)


@frozen(eq=False)
class Held(InMemoryRoomGateway):
    """Holds every request until it is released."""

    arrived: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(0))
    released: asyncio.Event = field(init=False, factory=asyncio.Event)

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        await self._wait()
        return await super().get_room(name, deadline=deadline)

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        if not room_was_read:
            await self._wait()
        return await super().mute_track(
            participant, track_sid, muted=muted, room_was_read=room_was_read, deadline=deadline
        )

    async def _wait(self) -> None:
        self.arrived.release()
        await self.released.wait()


@frozen
class ByToken(Authenticator):
    """Takes the token for the tenant's id; ``nobody`` has none."""

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        token = request.token
        known = IdentifiedCaller(id=TenantId(token)) if token != "nobody" else AnonymousCaller()
        return Identity(caller=known, source="test")

    @override
    async def verify_ready(self) -> None:
        """Return at once."""


@pytest.fixture
def gate(gateway: InMemoryRoomGateway) -> Held:
    return Held(gateway.rooms)


@pytest.fixture
async def service(serve: Serve, gate: Held) -> Service:
    limits = patient(max_in_flight=ALL, max_in_flight_per_tenant=SHARE)
    return await serve(authenticator=ByToken(), other_gateway=gate, limits=limits)


async def begin(
    service: Service, gate: Held, token: str, number: int = 1
) -> Sequence[asyncio.Task[Answer]]:
    """Send requests that are admitted; they are held until the gate is released."""
    begun = [asyncio.create_task(service.mute(token=token)) for _ in range(number)]
    for _ in begun:
        await gate.arrived.acquire()
    return begun


class TestATenant:
    async def test_that_is_alone_may_use_all_and_no_more(
        self, service: Service, gate: Held
    ) -> None:
        begun = await begin(service, gate, "a", ALL)
        for token in ("a", "nobody"):
            assert (await service.mute(token=token)).outcome == OVERLOADED
        assert {event["reason"] for event in service.events} == {TOO_MANY}
        gate.released.set()
        assert {(await each).status for each in begun} == {404}  # it is no room of theirs

    async def test_gets_in_although_another_has_filled_the_service(
        self, service: Service, gate: Held
    ) -> None:
        begun = [*await begin(service, gate, "a", ALL), *await begin(service, gate, "b")]
        rejected = await service.mute(token="a")
        assert rejected.outcome == OVERLOADED
        assert rejected.json["error"] == TOO_MANY  # which tells nothing about others
        assert service.events[0]["reason"] == HAS_ITS_SHARE
        assert service.events[0]["caller_id"] == "a"
        begun += await begin(service, gate, "c")
        gate.released.set()
        assert {(await each).status for each in begun} == {404}
        assert service.traffic.in_flight == 0

    async def test_that_is_rejected_is_not_in_the_audit_trail(
        self, serve: Serve, gate: Held
    ) -> None:
        audited = list[bool]()
        limits = patient(max_in_flight=1, max_in_flight_per_tenant=1)
        service = await serve(
            authenticator=ByToken(),
            other_gateway=gate,
            limits=limits,
            observers=[lambda _, context: audited.append(context.reached_authentication)],
        )
        begun = [*await begin(service, gate, "a"), *await begin(service, gate, "b")]
        assert (await service.mute(token="a")).outcome == OVERLOADED
        gate.released.set()
        await asyncio.gather(*begun)
        assert audited == [False, True, True]

    async def test_does_not_bind_callers_without_an_id(self, service: Service, gate: Held) -> None:
        begun = await begin(service, gate, "nobody", ALL)
        assert (await service.mute(token="nobody")).outcome == OVERLOADED
        gate.released.set()
        assert {(await each).status for each in begun} == {200}

    @pytest.mark.parametrize("how", ["ends", "is cancelled"])
    async def test_gives_its_places_back(self, service: Service, gate: Held, how: str) -> None:
        begun = [*await begin(service, gate, "a", ALL), *await begin(service, gate, "b", 2)]
        if how == "is cancelled":
            for each in begun:
                each.cancel()  # which disconnects
        gate.released.set()
        await asyncio.wait(begun)
        while service.traffic.in_flight:  # noqa: ASYNC110 - the service's
            await asyncio.sleep(0.005)
        gate.released.clear()
        again = await begin(service, gate, "b", ALL)
        assert (await service.mute(token="b")).outcome == OVERLOADED
        gate.released.set()
        assert {(await each).status for each in again} == {404}

    async def test_whose_token_is_refused_is_rejected_before_that_is_said(
        self, serve: Serve, gate: Held, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        limits = patient(max_in_flight=1)
        service = await serve(authenticator=api_secrets, other_gateway=gate, limits=limits)
        [begun] = await begin(service, gate, DEMO_TOKEN)
        for token in ("wrong", None):
            assert (await service.mute(token=token)).outcome == OVERLOADED
        [other] = await begin(service, gate, OTHER_TOKEN)
        gate.released.set()
        assert ((await begun).status, (await other).status) == (200, 404)
        assert (await service.mute(token="wrong")).outcome == (401, "UNAUTHORIZED")

    async def test_gets_in_while_its_body_is_incomplete_too(
        self, service: Service, gate: Held
    ) -> None:
        begun = await begin(service, gate, "a", ALL)
        async with Client.connected(str(service.url)) as client:
            client.send(MUTE_WITHOUT_BODY)
            await asyncio.sleep(0.02)
            assert (await client.request(b"{}")).outcome == (400, "INVALID_REQUEST")
        gate.released.set()
        await asyncio.gather(*begun)


class TestASlowAuthenticationService:
    async def test_is_asked_for_a_newcomer_while_others_wait_for_it(
        self, rooms: CountingGateway
    ) -> None:
        may_answer, asked = asyncio.Event(), asyncio.Semaphore(0)

        async def respond(request: AuthRequest) -> web.StreamResponse:
            asked.release()
            if request.data["token"] == "flood":
                await may_answer.wait()
            return web.json_response({"id": request.data["token"]})

        auth_service = AuthenticationService(respond=respond)
        limits = patient(max_in_flight=4, max_in_flight_per_tenant=2)
        async with (
            auth_service.running(),
            serving(auth_service, rooms, limits=limits) as service,
        ):
            flood = [asyncio.create_task(service.mute(token="flood")) for _ in range(4)]
            for _ in flood:
                await asked.acquire()
            assert (await service.mute(token="flood")).outcome == OVERLOADED
            assert (await service.mute(token="newcomer")).outcome == (404, "ROOM_NOT_FOUND")
            may_answer.set()
            assert {(await each).status for each in flood} == {404}

    async def test_is_not_asked_about_a_body_that_ends_while_the_service_is_full(
        self, rooms: CountingGateway
    ) -> None:
        may_answer, asked = asyncio.Event(), asyncio.Semaphore(0)

        async def respond(request: AuthRequest) -> web.StreamResponse:
            asked.release()
            await may_answer.wait()
            return web.json_response({"id": request.data["token"]})

        auth_service, limits = AuthenticationService(respond=respond), patient(max_in_flight=1)
        async with (
            auth_service.running(),
            serving(auth_service, rooms, limits=limits) as service,
            Client.connected(str(service.url)) as client,
        ):
            client.send(MUTE_WITHOUT_BODY)
            while not service.traffic.in_flight:  # noqa: ASYNC110 - the service's
                await asyncio.sleep(0.005)
            first = asyncio.create_task(service.mute(token="b"))
            await asked.acquire()
            assert (await client.request(b"{}")).outcome == OVERLOADED
            may_answer.set()
            assert (await first).status == 404


class TestCounts:
    @pytest.mark.parametrize("seed", range(20))
    def test_are_zero_once_all_requests_have_ended_however_they_did(self, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - no secret

        async def request(traffic: Traffic) -> None:
            tenant = random.choice(["a", "b", "c", None])
            token = random.choice([1, 2, 3])
            if not traffic.has_capacity_for(token):
                await traffic.reject(key=token)
            with traffic.admit(token, receiving=random.random() < 0.5):
                await asyncio.sleep(random.random())
                if random.random() < 0.5:
                    await traffic.end_receiving()
                await asyncio.sleep(random.random())
                await traffic.belongs_to(tenant)
                await asyncio.sleep(random.random())
                await traffic.end_receiving()
                await asyncio.sleep(random.random())

        async def all_requests() -> tuple[Traffic, set[type[BaseException] | None]]:
            traffic = Traffic(max_in_flight=random.randint(1, 9), max_in_flight_per_key=2)
            tasks = list[asyncio.Task[None]]()
            for _ in range(300):
                tasks.append(asyncio.create_task(request(traffic)))
                await asyncio.sleep(random.random() / 10)
                if random.random() < 0.3:
                    random.choice(tasks).cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            return traffic, {type(each) if each else None for each in found}

        traffic, found = run_in_virtual_time(all_requests())
        assert found == {None, OverloadedError, asyncio.CancelledError}
        assert traffic.in_flight == 0
        assert traffic.places_taken == 0


def test_the_default_share_is_a_quarter_and_at_least_one() -> None:
    assert [Limits(max_in_flight=each).max_in_flight_per_tenant for each in (512, 9, 3)] == [
        128,
        2,
        1,
    ]
    assert evolve(Limits(), max_in_flight=4).max_admitted == 8
