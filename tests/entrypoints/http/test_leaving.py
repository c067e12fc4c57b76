import asyncio
from collections.abc import AsyncIterator, Callable, MutableSequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, TypeVar

import aiohttp
import pytest

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGateway
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.entrypoints.http.held import HeldGateway
from tests.service import DEMO_WISH, MUTE, Service, running_service

T = TypeVar("T")


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

    async def test_ends_one_thing_after_another(self, held: HeldGateway) -> None:
        ended: list[str] = []

        async def look_on(session: aiohttp.ClientSession, service: Service) -> None:
            while (await get(session, service, "/readyz")).status != 503:
                pass
            ended.append("readiness")
            if (await get(session, service, "/livez")).headers["Connection"] == "close":
                ended.append("connections, each with its answer")
            while await is_listening(service):
                pass
            ended.append("the listener")
            held.released.set()

        async with aiohttp.ClientSession() as session:
            async with running_service(
                open_gateway=noting("the way to the rooms", held, ended),
                open_authenticator=noting("the source of identity", NobodyAuthenticator(), ended),
                limits=Limits(leaving_s=0.5),
            ) as service:
                mute = asyncio.create_task(post_mute(session, service))
                mute.add_done_callback(lambda _: ended.append("what was in flight"))
                await held.arrived.acquire()
                onlooker = asyncio.create_task(look_on(session, service))
            await onlooker
            assert (await mute)[0] == 200
        assert ended == [
            "readiness",
            "connections, each with its answer",
            "the listener",
            "what was in flight",
            "the way to the rooms",
            "the source of identity",
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


def noting(
    name: str, opened: T, ended: MutableSequence[str]
) -> Callable[[], AbstractAsyncContextManager[T]]:
    """Open something whose end is noted."""

    @asynccontextmanager
    async def open_() -> AsyncIterator[T]:
        yield opened
        ended.append(name)

    return open_
