import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from entrypoints.http.server.listener import CannotListenError, serving
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


@pytest.fixture
def app(gateway: InMemoryRoomGateway) -> web.Application:
    return create_app(
        open_gateway=lambda: nullcontext(gateway),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=1),
        limits=patient(),
    )


Reach = Callable[[str], Awaitable[set[str]]]


@pytest.fixture
def reached_at(app: web.Application) -> Reach:
    """Listen on a host, and return the loopback addresses at which the service responds."""

    async def reached_at(host: str) -> set[str]:
        reached = set()
        async with serving(app, host=host, port=0) as url, aiohttp.ClientSession() as session:
            assert str(url) == str(URL.build(scheme="http", host=host, port=url.port))
            for address in ("127.0.0.1", "127.0.0.2", "::1"):
                try:
                    async with session.get(url.with_host(address).with_path("/livez")) as answer:
                        reached.add(address if answer.status == 200 else str(answer.status))
                except aiohttp.ClientConnectorError:
                    pass
        return reached

    return reached_at


class TestHost:
    @pytest.mark.parametrize(
        ("host", "addresses"),
        [
            ("127.0.0.1", {"127.0.0.1"}),
            ("0.0.0.0", {"127.0.0.1", "127.0.0.2"}),
            ("::", {"127.0.0.1", "127.0.0.2", "::1"}),
            ("::1", {"::1"}),
            ("::1%1", {"::1"}),
            ("::ffff:127.0.0.1", {"127.0.0.1"}),
        ],
    )
    async def test_is_listened_on(self, reached_at: Reach, host: str, addresses: set[str]) -> None:
        assert await reached_at(host) == addresses

    async def test_may_be_a_name(self, reached_at: Reach) -> None:
        assert await reached_at("localhost") >= {"127.0.0.1"}

    @pytest.mark.parametrize(
        "host", ["192.0.2.1", "2001:db8::1", "x" * 64, "a..b", "no-such-host.invalid"]
    )
    async def test_is_rejected_where_it_cannot_be_listened_on(
        self, app: web.Application, host: str
    ) -> None:
        with pytest.raises(CannotListenError, match=rf"cannot listen on {host}, port 0: \w+"):
            async with serving(app, host=host, port=0):
                pass

    async def test_keeps_its_scope(self, app: web.Application) -> None:
        """Without it, a link-local address is an invalid argument."""
        with pytest.raises(CannotListenError, match="Cannot assign requested address"):
            async with serving(app, host="fe80::1%1", port=0):
                pass

    @pytest.mark.parametrize(("first", "second"), [("::", "127.0.0.1"), ("127.0.0.1", "::")])
    async def test_is_rejected_where_its_port_is_in_use(
        self, app: web.Application, first: str, second: str
    ) -> None:
        family = socket.AF_INET6 if ":" in first else socket.AF_INET
        with socket.create_server((first, 0), family=family, dualstack_ipv6=":" in first) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(CannotListenError, match="Address already in use"):
                async with serving(app, host=second, port=port):
                    pass


@web.middleware
async def failing(request: web.Request, handler: Handler) -> web.StreamResponse:
    raise ZeroDivisionError(request, handler)


class TestErrorsOutsideOfTheApplication:
    async def test_get_the_usual_response_and_close_the_connection(
        self, app: web.Application
    ) -> None:
        """As where somebody who embeds the application puts a middleware around it."""
        app.middlewares.insert(0, failing)
        async with (
            serving(app, host="127.0.0.1", port=0) as url,
            aiohttp.ClientSession() as session,
            session.get(url.with_path("/livez")) as response,
        ):
            assert (await response.json())["code"] == "INTERNAL_ERROR"
            assert (response.status, response.headers["Connection"]) == (500, "close")
