"""Requests that are receiving their body have a limit of their own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from attrs import evolve

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.authentication_service import AuthenticationService
from tests.entrypoints.http.conftest import DEMO_TOKEN, Serve, patient
from tests.entrypoints.http.delegated import ACCEPT, AUTHORIZATION, CountingGateway, serving
from tests.entrypoints.http.held import HeldGateway
from tests.robustness.clients import Client
from tests.support.service import DEMO_REQUEST, MUTE, Answer, Service
from tests.support.sockets import will_reset
from tests.support.timeouts import HOUR_S

BODY = json.dumps(DEMO_REQUEST).encode()
LENGTH = f"Content-Length: {len(BODY)}"
JSON = "Content-Type: application/json"
OVERLOADED = (503, "OVERLOADED")


def head(*lines: str, path: str = MUTE, method: str = "POST") -> bytes:
    """Write the head of a request, with the demo's token unless a line is given."""
    lines = lines or (f"Authorization: Bearer {DEMO_TOKEN}", JSON)
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", LENGTH, *lines, "", ""]).encode()


GOOD = head() + BODY


def limits(*, max_in_flight: int = 1, body_grace_s: float = 0) -> Limits:
    return evolve(patient(max_in_flight=max_in_flight), body_grace_s=body_grace_s)


async def ask(service: Service, *parts: bytes) -> Answer:
    """Send a request in parts, and read its response."""
    async with Client.connected(str(service.url)) as client:
        for part in parts[:-1]:
            client.send(part)
            await asyncio.sleep(0.02)
        return await client.request(parts[-1])


@asynccontextmanager
async def receiving(service: Service, number: int = 1) -> AsyncIterator[Sequence[Client]]:
    """Hold back the last byte of so many bodies during the block."""
    before = service.traffic.in_flight
    async with AsyncExitStack() as stack:
        url = str(service.url)
        clients = [await stack.enter_async_context(Client.connected(url)) for _ in range(number)]
        for client in clients:
            client.send(GOOD[:-1])
        while service.traffic.in_flight < before + number:  # noqa: ASYNC110 - the service's
            await asyncio.sleep(0.005)
        yield clients


@pytest.fixture
async def service(serve: Serve, api_secrets: ApiSecretsAuthenticator) -> Service:
    """One request at a time whose body is complete, and one that is receiving it."""
    return await serve(authenticator=api_secrets, limits=limits())


class TestARequestThatIsReceivingItsBody:
    async def test_takes_no_place_of_one_that_is_complete(self, service: Service) -> None:
        async with receiving(service) as [client]:
            assert [(await ask(service, GOOD)).status for _ in range(3)] == [200] * 3
            assert (await client.request(GOOD[-1:])).status == 200

    async def test_is_rejected_beyond_its_own_limit(self, service: Service) -> None:
        async with receiving(service):
            answer = await ask(service, GOOD[:-1])
        assert answer.outcome == OVERLOADED
        assert answer.headers["Retry-After"] == "1"
        assert "receiving their body (MAX_IN_FLIGHT)" in answer.json["error"]
        assert service.events[0]["reason"] == answer.json["error"]

    async def test_is_rejected_after_malformed_http_and_before_all_else(
        self, service: Service
    ) -> None:
        heads = {
            "malformed": (head("Expect: x"), (400, "INVALID_REQUEST")),
            "another path": (head(path="/x"), OVERLOADED),
            "another method": (head(method="PUT"), OVERLOADED),
            "no token": (head(JSON), OVERLOADED),
            "a token twice": (head(AUTHORIZATION, AUTHORIZATION), OVERLOADED),
            "another type": (head(AUTHORIZATION), OVERLOADED),
            "readiness": (head(path="/readyz", method="GET"), OVERLOADED),
        }
        wrong = {}
        async with receiving(service):
            for what, (request, expected) in heads.items():
                if (answer := await ask(service, request)).outcome != expected:
                    wrong[what] = answer
            assert (await ask(service, head(path="/livez", method="GET"))).status == 200
        assert wrong == {}

    async def test_is_served_beyond_its_limit_if_the_body_follows_its_headers(
        self, serve: Serve
    ) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        async with receiving(service):
            assert (await ask(service, head(), BODY)).status == 200
            assert (await ask(service, GOOD[:-1], GOOD[-1:])).status == 200

    async def test_is_told_to_continue_beyond_its_limit_if_it_waits_for_that(
        self, serve: Serve
    ) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        waits = head(f"Authorization: Bearer {DEMO_TOKEN}", JSON, "Expect: 100-continue")
        async with receiving(service):
            reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
            writer.write(waits)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(BODY)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    async def test_is_rejected_beyond_its_limit_once_the_service_stops(self, serve: Serve) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        async with receiving(service) as [first], receiving(service) as [second]:
            await service.traffic.stop()
            answers = [await client.request(b"") for client in (first, second)]
        assert [each.outcome for each in answers] == [OVERLOADED] * 2
        assert {each.json["error"] for each in answers} == {
            "the service is shutting down; retry later"
        }

    async def test_is_drained_beyond_its_limit_too(self, serve: Serve) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        async with receiving(service) as [first], receiving(service) as [second]:
            draining = asyncio.create_task(service.traffic.drain(HOUR_S))
            assert (await first.request(GOOD[-1:])).status == 200
            assert (await second.request(GOOD[-1:])).status == 200
            await draining

    async def test_makes_room_for_the_next_however_it_ends(self, service: Service) -> None:
        for end in ("", BODY[-1:].decode()):
            async with receiving(service) as [client]:
                if end:
                    assert (await client.request(end.encode())).status == 200
            while service.traffic.in_flight:  # noqa: ASYNC110 - the service's
                await asyncio.sleep(0.005)
        async with receiving(service):
            assert (await ask(service, GOOD[:-1])).outcome == OVERLOADED

    async def test_is_rejected_where_too_many_complete_ones_are_in_flight(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=limits())
        async with receiving(service) as [client]:
            first = asyncio.create_task(ask(service, GOOD))
            await held.arrived.acquire()
            late, new, complete = (
                await client.request(GOOD[-1:]),
                await ask(service, GOOD[:-1]),
                await ask(service, GOOD),
            )
            held.released.set()
            assert (await first).status == 200
        assert [each.outcome for each in (late, new, complete)] == [OVERLOADED] * 3
        assert "in flight (MAX_IN_FLIGHT)" in late.json["error"]

    async def test_whose_client_resets_it_beyond_the_limit_is_recorded_as_such(
        self, serve: Serve
    ) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        async with receiving(service):
            _, writer = await asyncio.open_connection(service.url.host, service.url.port)
            will_reset(writer)
            writer.write(GOOD[:-1])
            await asyncio.sleep(0.1)
            writer.close()
            while not service.events:  # noqa: ASYNC110 - the service's
                await asyncio.sleep(0.005)
        assert service.events[0]["reason"] == "the client disconnected"

    async def test_that_is_malformed_beyond_the_limit_is_rejected_as_such(
        self, serve: Serve
    ) -> None:
        service = await serve(limits=limits(body_grace_s=HOUR_S))
        chunked = head(JSON).replace(LENGTH.encode(), b"Transfer-Encoding: chunked")
        async with receiving(service):
            answer = await ask(service, chunked + b"2\r\n{}\r\n", b"x\r\n")
        assert answer.outcome == (400, "INVALID_REQUEST")


class TestAnAuthenticationService:
    async def test_is_asked_for_complete_requests_while_bodies_are_held_back(
        self, rooms: CountingGateway
    ) -> None:
        auth_service = AuthenticationService(respond=ACCEPT)
        async with (
            auth_service.running(),
            serving(auth_service, rooms, limits=limits(max_in_flight=3)) as service,
            receiving(service, 3),
        ):
            assert (await ask(service, GOOD)).status == 200
            assert len(auth_service.requests) == 1

    async def test_is_asked_by_no_more_requests_than_allowed_whatever_their_type(
        self, rooms: CountingGateway
    ) -> None:
        """The body of another type is not read, so that the request is as good as complete."""
        asked, answered = asyncio.Event(), asyncio.Event()

        async def respond(_: object) -> web.StreamResponse:
            asked.set()
            await answered.wait()
            return web.json_response({"id": "tenant-a"})

        auth_service = AuthenticationService(respond=respond)
        async with (
            auth_service.running(),
            serving(auth_service, rooms, limits=limits()) as service,
        ):
            text = head(f"Authorization: Bearer {DEMO_TOKEN}", "Content-Type: text/plain")
            first = asyncio.create_task(ask(service, text))
            await asked.wait()
            assert (await ask(service, GOOD)).outcome == OVERLOADED
            answered.set()
            assert (await first).outcome == (415, "UNSUPPORTED_MEDIA_TYPE")
