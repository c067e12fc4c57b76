import asyncio
from contextlib import suppress

import pytest
from aiohttp import web
from attrs import define, field

from application.ports.authenticator import AuthenticatorError, AuthenticatorUnavailableError
from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    AuthRequest,
    ByteService,
    accept,
)
from tests.adapters.identity.cases.delegated_client import authenticate, open_client
from tests.adapters.identity.cases.raw_responses import CHUNKED_AND_GZIP, LOCATION, http
from tests.adapters.identity.cases.service_responses import (
    ENDLESS,
    RESPONSES,
    UNAVAILABLE,
    UNUSABLE,
    Outcome,
    Response,
    tenant,
)
from tests.adapters.identity.cases.token_checker import wait_until
from tests.support.connection_handlers import hangs, read_request, sends
from tests.support.movable_clock import advance_clock
from tests.support.presented_request import StaticRequest
from tests.support.server_process import free_ports
from tests.support.sockets import IDLE_TIMEOUT

LOST_AT_ONCE = "new connection lost before an answer, the port may expect another protocol"

pytestmark = pytest.mark.robustness("authentication service's answers")


async def outcome_of(
    response: Response, *, timeout_s: float = 3600.0, allow_no_id: bool
) -> tuple[Outcome, int]:
    """Have a service of its own respond; return the outcome and the number of connections."""
    service = ByteService(handle=response.handle)
    async with (
        service.running(),
        open_client(service.url, timeout_s=timeout_s, allow_no_id=allow_no_id) as client,
    ):
        return await authenticate(client), service.connections


@pytest.mark.parametrize("allow_no_id", [False, True], ids=["id required", "id optional"])
class TestResponse:
    async def test_decides_and_is_requested_once(
        self, allow_no_id: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        wrong = {}
        for name, response in RESPONSES.items():
            found = await outcome_of(response, allow_no_id=allow_no_id)
            if found != (response.expected(allow_no_id=allow_no_id), 1):
                wrong[name] = found
        assert wrong == {}
        assert not caplog.records

    async def test_is_awaited_until_the_timeout(self, allow_no_id: bool) -> None:
        found = await asyncio.gather(
            *(
                outcome_of(response, timeout_s=0.2, allow_no_id=allow_no_id)
                for response in ENDLESS.values()
            )
        )
        wrong = {
            name: one
            for name, one in zip(ENDLESS, found, strict=True)
            if one[0] != UNAVAILABLE or one[1] > 1
        }
        assert wrong == {}


class TestInvalidResponse:
    async def test_is_not_followed_when_it_redirects(self) -> None:
        statuses = [300, 301, 302, 303, 305, 307, 308]

        async def redirect(_: AuthRequest) -> web.StreamResponse:
            status = statuses[len(service.requests) - 1]
            return web.Response(status=status, headers={"Location": "/good"})

        service = AuthenticationService(respond=redirect)
        async with service.running(), open_client(service.url, allow_no_id=True) as client:
            found = [await authenticate(client) for _ in statuses]
        assert found == [UNUSABLE] * len(statuses)
        assert service.targets == ["POST /auth?for=us"] * len(statuses)

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (http(status="503 s3cret", more=LOCATION), "status 503"),
            (http(b"s3cret"), "response is not JSON"),
            (http(b'{"id": "s3cret\\n"}'), "response without a valid id"),
            (http(b" " * 4097), "response too large"),
            (http(b"s3cret")[:-1], "incomplete response"),
            (b"s3cret\r\n\r\n", "answer is not valid HTTP"),
            (b"", LOST_AT_ONCE),
        ],
    )
    async def test_is_not_quoted_in_the_reason(self, sent: bytes, reason: str) -> None:
        service = ByteService(handle=sends(sent))
        async with service.running(), open_client(service.url) as client:
            with pytest.raises(AuthenticatorError) as failure:
                await client.authenticate(StaticRequest())
        assert failure.value.reason == f"authentication service: {reason}"

    async def test_may_be_empty_with_two_transfer_codings(self) -> None:
        service = ByteService(handle=sends(CHUNKED_AND_GZIP))
        async with service.running(), open_client(service.url, allow_no_id=True) as client:
            assert await authenticate(client) == UNUSABLE

    async def test_is_not_what_arrived_before_the_request(self) -> None:
        is_idle, added = asyncio.Event(), asyncio.Event()

        async def send_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(http().replace(b"Connection: close\r\n", b""))
            if service.connections == 1:
                await is_idle.wait()
                writer.write(IDLE_TIMEOUT)
                added.set()
            await reader.read()

        service = ByteService(handle=send_too_much)
        async with service.running(), open_client(service.url) as client:
            assert await authenticate(client) == tenant("tenant-a")
            is_idle.set()
            await added.wait()
            await asyncio.sleep(0.2)
            assert await authenticate(client) == tenant("tenant-a")
        assert service.connections == 2


class TestTimeout:
    @pytest.mark.parametrize(
        ("timeout_s", "left_s"), [(60.0, 3600.0), (3600.0, 60.0)], ids=["service", "request"]
    )
    async def test_is_the_earlier_of_both(self, timeout_s: float, left_s: float) -> None:
        service = ByteService(handle=hangs())
        async with service.running(), open_client(service.url, timeout_s=timeout_s) as client:
            request = StaticRequest(timeout_s=left_s)
            authenticating = asyncio.create_task(authenticate(client, request))
            await wait_until(lambda: service.connections == 1)
            assert not authenticating.done()
            advance_clock(60)
            assert await authenticating == UNAVAILABLE

    @pytest.mark.parametrize("left_s", [0.0, -1.0])
    async def test_may_have_passed_before_the_request(self, left_s: float) -> None:
        service = ByteService(handle=sends(http()))
        async with service.running(), open_client(service.url) as client:
            assert await authenticate(client, StaticRequest(timeout_s=left_s)) == UNAVAILABLE

    async def test_includes_waiting_for_a_connection(self) -> None:
        service = ByteService(handle=hangs())
        async with (
            service.running(),
            open_client(service.url, max_connections=1, timeout_s=60) as client,
        ):
            waiting = [asyncio.create_task(authenticate(client)) for _ in range(3)]
            await wait_until(lambda: service.connections == 1)
            advance_clock(60)
            assert await asyncio.gather(*waiting) == [UNAVAILABLE] * 3
        assert service.connections == 1


@define(eq=False)
class ConcurrencyMeter:
    """Holds requests until they are released, and counts those in flight."""

    released: asyncio.Event = field(init=False, factory=asyncio.Event)
    in_flight: int = field(init=False, default=0)
    most: int = field(init=False, default=0)

    async def respond(self, request: AuthRequest) -> web.StreamResponse:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await self.released.wait()
        self.in_flight -= 1
        return await accept(request)


class TestConnections:
    async def test_are_limited(self) -> None:
        meter = ConcurrencyMeter()
        service = AuthenticationService(respond=meter.respond)
        async with service.running(), open_client(service.url, max_connections=2) as client:
            waiting = [asyncio.create_task(authenticate(client)) for _ in range(6)]
            await wait_until(lambda: meter.in_flight >= 2)
            await asyncio.sleep(0.1)
            meter.released.set()
            assert await asyncio.gather(*waiting) == [tenant()] * 6
        assert meter.most == 2

    async def test_are_available_again_after_any_response(self) -> None:
        service = ByteService(handle=hangs())
        wrong = {}
        async with service.running(), open_client(service.url, max_connections=1) as client:
            for name, response in RESPONSES.items():
                service.handle = response.handle
                found = await authenticate(client)
                if found != response.outcome:
                    wrong[name] = found
        assert wrong == {}

    async def test_cost_one_timeout_where_the_network_drops_them_all(self) -> None:
        kept = 3
        asked: list[asyncio.StreamWriter] = []
        is_unanswered = asyncio.Event()

        async def answer_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            asked.append(writer)
            ready = [writer] if len(asked) > kept else asked[: len(asked) // kept * kept]
            for each in ready:  # the first ones together, so that they are on a connection each
                each.write(http().replace(b"Connection: close\r\n", b""))
            await reader.read(1)
            is_unanswered.set()
            await reader.read()

        service = ByteService(handle=answer_first)
        async with service.running(), open_client(service.url, timeout_s=5) as client:
            first = [authenticate(client) for _ in range(kept)]
            assert await asyncio.gather(*first) == [tenant()] * kept
            late = asyncio.create_task(authenticate(client))
            await is_unanswered.wait()
            advance_clock(5)
            assert await late == UNAVAILABLE
            assert await authenticate(client) == tenant()

    async def test_are_reopened_after_the_service_restarts(self) -> None:
        service = AuthenticationService()
        async with service.running(), open_client(service.url) as client:
            assert await authenticate(client) == tenant()
        async with open_client(service.url) as client:
            assert await authenticate(client) == UNAVAILABLE
            async with service.running():
                assert await authenticate(client) == tenant()
            assert await authenticate(client) == UNAVAILABLE
            async with service.running():
                assert await authenticate(client) == tenant()

    async def test_do_not_repeat_a_request_when_a_kept_one_breaks(self) -> None:
        received: list[str] = []

        async def respond_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            received.append("first")
            writer.write(http().replace(b"Connection: close\r\n", b""))
            with suppress(asyncio.IncompleteReadError):
                await read_request(reader)
                received.append("next")

        service = ByteService(handle=respond_once)
        async with service.running(), open_client(service.url) as client:
            assert await authenticate(client) == tenant()
            assert await authenticate(client) in (tenant(), UNAVAILABLE)
        assert len(received) == 2

    async def test_are_closed_with_the_block(self) -> None:
        ended = asyncio.Event()

        async def notice_the_end(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await read_request(reader)
            writer.write(http().replace(b"Connection: close\r\n", b""))
            with suppress(ConnectionResetError):
                await reader.read()
            ended.set()

        service = ByteService(handle=notice_the_end)
        async with service.running():
            async with open_client(service.url) as client:
                assert await authenticate(client) == tenant()
                await asyncio.sleep(0.05)
                assert not ended.is_set()
            await ended.wait()


class TestUnreachableService:
    async def test_is_unavailable_when_its_port_is_closed(self) -> None:
        [port] = free_ports(1)
        async with open_client(f"http://127.0.0.1:{port}?key=s3cret") as client:
            with pytest.raises(AuthenticatorUnavailableError) as failure:
                await client.authenticate(StaticRequest())
        refused = f"authentication service: cannot connect to 127.0.0.1:{port}: connection refused"
        assert failure.value.reason == refused

    async def test_is_unavailable_when_it_does_not_support_tls(self) -> None:
        service = AuthenticationService()
        async with (
            service.running(),
            open_client(service.url.replace("http", "https"), allow_no_id=True) as client,
        ):
            assert await authenticate(client) == UNAVAILABLE
