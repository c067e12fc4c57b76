import asyncio
from contextlib import nullcontext

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from entrypoints.http.server.listener import serving
from tests.entrypoints.http.conftest import Serve, patient
from tests.entrypoints.http.held import HeldGateway, begin_mute

READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


class TestRequestsInFlight:
    async def test_beyond_the_limit_are_rejected_except_liveness(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=patient(max_in_flight=2))
        first = [await begin_mute(service, held) for _ in range(2)]
        rejected = await service.mute()
        assert rejected.outcome == (503, "OVERLOADED")
        assert rejected.headers["Retry-After"] == "1"
        assert (await service.ask("GET", "/nope")).outcome == (503, "OVERLOADED")
        assert (await service.ask("GET", "/readyz")).outcome == (503, "OVERLOADED")
        for path in ("/", "/livez"):
            assert (await service.ask("GET", path)).status == 200
        held.released.set()
        assert [(await task).status for task in first] == [200, 200]
        assert (await service.mute()).status == 200

    async def test_end_when_their_handler_ends_though_the_client_has_disconnected(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=patient(max_in_flight=1))
        task = await begin_mute(service, held)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held.released.set()
        while not service.events:  # noqa: ASYNC110 - the handler ends on its own
            await asyncio.sleep(0)
        assert service.events[-1]["muted"] is True
        assert (await service.mute()).status == 200

    async def test_are_rejected_as_malformed_before_the_limit_applies(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_in_flight=0))
        [answer] = await service.send(b"GET /readyz HTTP/1.1\r\nHost: a b\r\n\r\n")
        assert answer.outcome == (400, "INVALID_REQUEST")


class TestConnections:
    async def test_beyond_the_limit_are_rejected_and_closed(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_connections=1))
        assert (await service.ask("GET", "/readyz")).status == 200  # it stays connected
        (answer,) = await service.send(2 * READY, path="/readyz", method="GET")
        assert answer.outcome == (503, "OVERLOADED")
        assert answer.headers["Connection"] == "close"
        assert (await service.ask("GET", "/readyz")).status == 200

    async def test_beyond_the_limit_still_get_liveness(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_connections=0))
        alive = READY.replace(b"/readyz", b"/livez")
        (answer,) = await service.send(2 * alive, path="/livez", method="GET")
        assert answer.status == 200

    async def test_beyond_the_limit_have_the_headers_timeout(self, serve: Serve) -> None:
        limits = patient(max_connections=0, headers_timeout_s=0.1)
        assert await (await serve(limits=limits)).send() == []

    async def test_far_beyond_the_limit_are_closed_at_once(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_connections=1))
        clients = [
            await asyncio.open_connection(service.url.host, service.url.port) for _ in range(257)
        ]
        with pytest.raises(aiohttp.ClientConnectionError):
            await service.ask("GET", "/livez")
        for _, writer in clients:
            writer.close()
            await writer.wait_closed()
        assert (await service.ask("GET", "/readyz")).status == 200

    async def test_count_no_longer_once_closed(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_connections=1))
        for _ in range(3):
            (answer,) = await service.send(
                READY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
                path="/readyz",
                method="GET",
            )
            assert answer.status == 200
        assert service.traffic.connections == 0


@web.middleware
async def failing(request: web.Request, handler: Handler) -> web.StreamResponse:
    raise ZeroDivisionError(request, handler)


class TestErrorsOutsideOfTheApplication:
    async def test_get_the_usual_response_and_close_the_connection(
        self, gateway: InMemoryRoomGateway
    ) -> None:
        """As where somebody who embeds the application puts a middleware around it."""
        app = create_app(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
            make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=1),
            limits=patient(),
        )
        app.middlewares.insert(0, failing)
        async with (
            serving(app, host="127.0.0.1", port=0) as url,
            aiohttp.ClientSession() as session,
            session.get(url.with_path("/livez")) as response,
        ):
            assert (await response.json())["code"] == "INTERNAL_ERROR"
            assert (response.status, response.headers["Connection"]) == (500, "close")
