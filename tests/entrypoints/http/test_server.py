import asyncio
import json
import math
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import aiohttp
import pytest
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.service import DEMO_WISH, MUTE, Answer, Service, running_service

READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


@frozen(eq=False)
class HeldGateway(InMemoryRoomGateway):
    """Holds every mute until it is released."""

    arrived: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(0))
    released: asyncio.Event = field(init=False, factory=asyncio.Event)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self.arrived.release()
        await self.released.wait()
        return await super().mute_track(participant, track_sid, muted=muted, until=until)


@pytest.fixture
def held(gateway: InMemoryRoomGateway) -> HeldGateway:
    return HeldGateway(gateway.rooms)


async def begin_mute(service: Service, held: HeldGateway) -> asyncio.Task[Answer]:
    task = asyncio.create_task(service.mute())
    await held.arrived.acquire()
    return task


def running(gateway: RoomGateway, limits: Limits) -> AbstractAsyncContextManager[Service]:
    return running_service(
        open_gateway=lambda: nullcontext(gateway),
        open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
        limits=limits,
    )


async def post_mute(session: aiohttp.ClientSession, service: Service) -> tuple[int, Any]:
    """Ask over a connection that outlives the service."""
    async with session.post(f"{service.url}{MUTE}", json=DEMO_WISH) as answer:
        return answer.status, await answer.json()


async def ask_later(session: aiohttp.ClientSession, url: str, delay_s: float) -> int:
    await asyncio.sleep(delay_s)
    async with session.get(url) as answer:
        return answer.status


class TestInFlight:
    async def test_is_bounded(self, serve: Serve, held: HeldGateway) -> None:
        service = await serve(other_gateway=held, limits=Limits(max_in_flight=2, leaving_s=0))
        first = [await begin_mute(service, held) for _ in range(2)]
        refused = await service.mute()
        assert refused.told == (503, "OVERLOADED")
        assert refused.headers["Retry-After"] == "1"
        assert (await service.ask("GET", "/nope")).told == (503, "OVERLOADED")
        assert (await service.ask("GET", "/readyz")).told == (503, "OVERLOADED")
        for path in ("/", "/livez"):
            assert (await service.ask("GET", path)).status == 200
        held.released.set()
        assert [(await task).status for task in first] == [200, 200]
        assert (await service.mute()).status == 200

    async def test_forgets_requests_whose_client_has_gone(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=Limits(max_in_flight=1, leaving_s=0))
        task = await begin_mute(service, held)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held.released.set()
        await asyncio.sleep(0.05)
        assert service.events[-1]["muted"] is True
        assert (await service.mute()).status == 200


class TestConnections:
    async def test_beyond_the_bound_are_told_so_and_closed(self, serve: Serve) -> None:
        service = await serve(limits=Limits(max_connections=1, leaving_s=0))
        assert (await service.ask("GET", "/readyz")).status == 200  # on a connection that is kept
        (answer,) = await service.send(2 * READY, path="/readyz", method="GET")
        assert answer.told == (503, "OVERLOADED")
        assert answer.headers["Connection"] == "close"
        assert (await service.ask("GET", "/readyz")).status == 200

    async def test_beyond_the_bound_still_show_that_it_is_alive(self, serve: Serve) -> None:
        service = await serve(limits=Limits(max_connections=0, leaving_s=0))
        alive = READY.replace(b"/readyz", b"/livez")
        (answer,) = await service.send(2 * alive, path="/livez", method="GET")
        assert answer.status == 200

    async def test_beyond_the_bound_have_no_more_time_than_headers_have(self, serve: Serve) -> None:
        limits = Limits(max_connections=0, headers_timeout_s=0.1, leaving_s=0)
        assert await (await serve(limits=limits)).send() == []

    async def test_far_beyond_the_bound_are_closed_unheard(self, serve: Serve) -> None:
        service = await serve(limits=Limits(max_connections=1, leaving_s=0))
        clients = [
            await asyncio.open_connection(service.url.host, service.url.port) for _ in range(257)
        ]
        with pytest.raises(aiohttp.ClientConnectionError):
            await service.ask("GET", "/livez")
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
        assert (await service.ask("GET", "/readyz")).status == 200

    async def test_make_room_when_they_end(self, serve: Serve) -> None:
        service = await serve(limits=Limits(max_connections=1, leaving_s=0))
        for _ in range(3):
            (answer,) = await service.send(
                READY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
                path="/readyz",
                method="GET",
            )
            assert answer.status == 200
        assert service.traffic.connections == 0


class TestSlowAnswers:
    async def test_outlast_the_time_for_headers(self, serve: Serve, held: HeldGateway) -> None:
        """But a request begun behind them does not get its time twice over."""
        limits = Limits(leaving_s=0, headers_timeout_s=0.2)
        service = await serve(other_gateway=held, limits=limits)
        body = json.dumps(DEMO_WISH).encode()
        head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        asyncio.get_running_loop().call_later(0.5, held.released.set)
        answers = await service.send(request, b"GET /livez", path=MUTE)
        assert [answer.status for answer in answers] == [200]


class TestLeaving:
    async def test_serves_on_but_closes_connections_and_is_not_ready(self, serve: Serve) -> None:
        service = await serve()
        before = await service.ask("GET", "/livez")
        service.traffic.leaving = True
        ready, mute = await service.ask("GET", "/readyz"), await service.mute()
        assert "Connection" not in before.headers
        assert ready.told == (503, "NOT_READY")
        assert mute.status == 200
        assert ready.headers["Connection"] == mute.headers["Connection"] == "close"

    async def test_takes_new_connections_for_a_while(self, gateway: InMemoryRoomGateway) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(gateway, Limits(leaving_s=0.5)) as service:
                url = service.url
                asking = asyncio.create_task(ask_later(session, f"{url}/livez", 0.2))
            assert await asking == 200
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"{url}/livez")

    async def test_waits_for_what_is_in_flight(self, held: HeldGateway) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(held, Limits(leaving_s=0)) as service:
                asking = asyncio.create_task(post_mute(session, service))
                await held.arrived.acquire()
                asyncio.get_running_loop().call_later(1.3, held.released.set)
            assert (await asking)[0] == 200

    async def test_tells_what_takes_too_long_to_try_again(self, held: HeldGateway) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(held, Limits(leaving_s=0, drain_timeout_s=0.1)) as service:
                asking = asyncio.create_task(post_mute(session, service))
                await held.arrived.acquire()
            status, body = await asking
        assert (status, body["code"]) == (503, "OVERLOADED")
        assert service.events[-1]["muted_wanted"] is True

    async def test_refuses_whoever_comes_after_the_end(self, service: Service) -> None:
        await service.traffic.drain(0)
        assert (await service.mute()).told == (503, "OVERLOADED")
