import asyncio
import socket
from collections.abc import AsyncIterator, Callable, MutableSequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, TypeVar

import aiohttp
import pytest

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.entrypoints.http.held import HeldGateway
from tests.support.service import DEMO_REQUEST, MUTE, Service, running_service

T = TypeVar("T")


def running(gateway: RoomGateway, limits: Limits) -> AbstractAsyncContextManager[Service]:
    return running_service(
        open_gateway=lambda: nullcontext(gateway),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=limits,
    )


async def post_mute(session: aiohttp.ClientSession, service: Service) -> tuple[int, Any]:
    """Send a request over a connection that outlives the service."""
    async with session.post(f"{service.url}{MUTE}", json=DEMO_REQUEST) as answer:
        return answer.status, await answer.json()


async def get_during_shutdown(session: aiohttp.ClientSession, service: Service) -> int:
    """Connect anew once the shutdown has begun."""
    while not service.traffic.shutting_down:  # noqa: ASYNC110 - set by the service's own task
        await asyncio.sleep(0)
    async with session.get(f"{service.url}/livez") as answer:
        return answer.status


class TestGracefulShutdown:
    async def test_keeps_serving_closes_connections_and_is_not_ready(self, serve: Serve) -> None:
        service = await serve()
        before = await service.ask("GET", "/livez")
        service.traffic.shutting_down = True
        ready, mute = await service.ask("GET", "/readyz"), await service.mute()
        assert "Connection" not in before.headers
        assert ready.outcome == (503, "NOT_READY")
        assert [each["log_level"] for each in service.events] == ["debug", "debug", "info"]
        assert mute.status == 200
        assert ready.headers["Connection"] == mute.headers["Connection"] == "close"

    async def test_accepts_new_connections_during_its_delay(
        self, gateway: InMemoryRoomGateway
    ) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(gateway, Limits(leave_delay_s=2)) as service:
                url = service.url
                asking = asyncio.create_task(get_during_shutdown(session, service))
            assert await asking == 200
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"{url}/livez")

    async def test_serves_connections_that_are_not_accepted_yet(
        self, gateway: InMemoryRoomGateway
    ) -> None:
        """They wait in the listener's backlog, and closing it would reset them."""
        clients: list[socket.socket] = []

        async def connect_at_the_last_moment(service: Service) -> None:
            while not service.traffic.shutting_down:  # noqa: ASYNC110 - set by the service itself
                await asyncio.sleep(0)
            # Without a turn of the loop, in which the service would accept it.
            client = socket.create_connection((service.url.host, service.url.port))
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            clients.append(client)

        async with running(gateway, Limits(leave_delay_s=0)) as service:
            connecting = asyncio.create_task(connect_at_the_last_moment(service))
            await asyncio.sleep(0)
        await connecting
        [client] = clients
        with client:
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 ")

    async def test_waits_for_requests_in_flight(self, held: HeldGateway) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(held, Limits(leave_delay_s=0)) as service:
                asking = asyncio.create_task(post_mute(session, service))
                await held.arrived.acquire()
                asyncio.get_running_loop().call_later(1.3, held.released.set)
            assert (await asking)[0] == 200

    async def test_rejects_requests_that_outlast_the_drain_timeout(self, held: HeldGateway) -> None:
        async with aiohttp.ClientSession() as session:
            async with running(held, Limits(leave_delay_s=0, drain_timeout_s=0.1)) as service:
                asking = asyncio.create_task(post_mute(session, service))
                await held.arrived.acquire()
            status, body = await asking
        assert (status, body["code"]) == (503, "OVERLOADED")
        assert service.events[-1]["muted_wanted"] is True

    async def test_rejects_requests_once_stopped(self, service: Service) -> None:
        await service.traffic.drain(0)
        assert (await service.mute()).outcome == (503, "OVERLOADED")

    async def test_ends_one_part_after_the_other(self, held: HeldGateway) -> None:
        ended: list[str] = []

        async def watch(session: aiohttp.ClientSession, service: Service) -> None:
            while (await get(session, service, "/readyz")).status != 503:
                pass
            ended.append("readiness")
            if (await get(session, service, "/livez")).headers["Connection"] == "close":
                ended.append("kept connections")
            while await is_listening(service):
                pass
            ended.append("listener")
            held.released.set()

        async with aiohttp.ClientSession() as session:
            async with running_service(
                open_gateway=recording("gateway", held, ended),
                open_authenticator=recording("authenticator", AnonymousAuthenticator(), ended),
                limits=Limits(leave_delay_s=2),
            ) as service:
                mute = asyncio.create_task(post_mute(session, service))
                mute.add_done_callback(lambda _: ended.append("requests in flight"))
                await held.arrived.acquire()
                watcher = asyncio.create_task(watch(session, service))
            await watcher
            assert (await mute)[0] == 200
        assert ended == [
            "readiness",
            "kept connections",
            "listener",
            "requests in flight",
            "gateway",
            "authenticator",
        ]


async def get(
    session: aiohttp.ClientSession, service: Service, path: str
) -> aiohttp.ClientResponse:
    async with session.get(f"{service.url}{path}") as answer:
        await answer.read()
        return answer


async def is_listening(service: Service) -> bool:
    try:
        _, writer = await asyncio.open_connection(service.url.host, service.url.port)
    except OSError:
        return False
    writer.close()
    return True


def recording(
    name: str, opened: T, ended: MutableSequence[str]
) -> Callable[[], AbstractAsyncContextManager[T]]:
    """Open something, and record when it is closed."""

    @asynccontextmanager
    async def open_() -> AsyncIterator[T]:
        yield opened
        ended.append(name)

    return open_
