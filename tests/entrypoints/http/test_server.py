import asyncio
import json

import aiohttp
import pytest

from entrypoints.http.errors import OverloadedError
from entrypoints.http.limits import Limits
from entrypoints.http.traffic import Traffic
from tests.entrypoints.http.conftest import Serve
from tests.entrypoints.http.held import HeldGateway, begin_mute
from tests.service import DEMO_WISH, MUTE

READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


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

    async def test_refuses_in_a_flood_one_after_another(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=Limits(max_in_flight=1, leaving_s=0))
        first = await begin_mute(service, held)
        refused = await asyncio.gather(*(service.ask("GET", "/nope") for _ in range(100)))
        assert {answer.told for answer in refused} == {(503, "OVERLOADED")}
        longest = max(event["elapsed_ms"] for event in service.events)
        assert longest > 50  # the last of them waited for the others' milliseconds
        held.released.set()
        assert (await first).status == 200

    async def test_keeps_nobody_waiting_to_be_refused_for_more_than_a_second(self) -> None:
        traffic = Traffic(max_in_flight=0)
        async with asyncio.timeout(4):  # which one after another would be too little
            refused = [traffic.refuse() for _ in range(5000)]
            told = await asyncio.gather(*refused, return_exceptions=True)
        assert all(isinstance(each, OverloadedError) for each in told)

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
