"""Calls of LiveKit, and the spans that a collector gets of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer
from opentelemetry.context import Context
from opentelemetry.trace import Tracer

from adapters.http_client.telemetry import Attempt, Outcome, Telemetry
from adapters.livekit.api_key import ApiKey
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from contract.livekit_answers import hang_up, twirp_error
from contract.livekit_double.double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from entrypoints.tracing.otel.calls import call_spans
from tests.support.otlp_collector import Collector, ReceivedSpan, collecting, tracing_to

ROOM = RoomName("standup")
READ = "livekit.RoomService/ListRooms"


@pytest.fixture
def double() -> LiveKitDouble:
    rooms = LiveKitRooms()
    rooms.put_room(ROOM)
    return LiveKitDouble(api_key="key", api_secret="s3cret" * 6, rooms=rooms)


@asynccontextmanager
async def gateway_to(
    double: LiveKitDouble, telemetry_of: Callable[[str], Telemetry]
) -> AsyncIterator[LiveKitRoomGateway]:
    async with TestServer(double.app()) as server:
        url = str(server.make_url("/"))
        key = ApiKey(name=double.api_key, secret=double.api_secret)
        async with open_gateway(url=url, api_key=key, telemetry=telemetry_of(url)) as gateway:
            yield gateway


async def read(gateway: LiveKitRoomGateway) -> None:
    await gateway.get_room(ROOM, deadline=asyncio.get_running_loop().time() + 3600)


async def traced(collector: Collector, double: LiveKitDouble, *, requests: int) -> None:
    """Have a room read by several requests at once, each with a span of its own."""

    async def request(tracer: Tracer, gateway: LiveKitRoomGateway) -> None:
        with tracer.start_as_current_span("request", context=Context()):
            await read(gateway)

    async with (
        tracing_to(collector) as tracer,
        gateway_to(double, lambda url: call_spans(tracer, "livekit", url)) as gateway,
    ):
        reading = [request(tracer, gateway) for _ in range(requests)]
        await asyncio.gather(*reading, return_exceptions=True)


def place(span: ReceivedSpan) -> tuple[str, str]:
    return span.trace_id, span.span_id


def sent_along(double: LiveKitDouble) -> str:
    return double.headers["ListRooms"]["traceparent"]


class TestCall:
    async def test_has_a_span_which_livekit_is_told(self, double: LiveKitDouble) -> None:
        async with collecting() as collector:
            await traced(collector, double, requests=1)
        [span], [request] = collector.named(READ), collector.named("request")
        assert (span.kind, span.trace_id, span.parent_id) == ("CLIENT", *place(request))
        assert sent_along(double) == f"00-{span.trace_id}-{span.span_id}-03"
        assert not span.is_error
        port = span.attributes["server.port"]
        assert span.attributes == {
            "rpc.system.name": "twirp",
            "rpc.method": READ,
            "server.address": "127.0.0.1",
            "server.port": port,
            "livekit_mute.rooms": 1,
            "livekit_mute.outcome": "ok",
        }

    async def test_that_is_made_again_has_another_span(self, double: LiveKitDouble) -> None:
        double.fail_next("ListRooms", hang_up)
        async with collecting() as collector:
            await traced(collector, double, requests=1)
        first, second = collector.named(READ)
        assert first.is_error
        assert first.attributes["error.type"] == "lost"
        assert not second.is_error
        assert second.attributes["livekit_mute.attempt"] == "lost"
        assert first.parent_id == second.parent_id

    async def test_that_fails_is_an_error(self, double: LiveKitDouble) -> None:
        double.fail("ListRooms", twirp_error("internal"))
        async with collecting() as collector:
            await traced(collector, double, requests=1)
        [span] = collector.named(READ)
        assert span.is_error
        assert span.attributes["error.type"] == "unavailable"

    async def test_of_a_key_server_is_not_told_of_the_trace(self) -> None:
        async with collecting() as collector, tracing_to(collector) as tracer:
            url = "https://s3cret:s3cret@keys.example:8443/s3cret?key=s3cret"
            headers: dict[str, str] = {}
            begin = call_spans(tracer, "key-server", url).begin
            assert begin
            end = begin(("GetKeySet", Attempt.FIRST, 0), headers)
            assert headers == {}
            end(Outcome.TIMEOUT)
            await collector.wait_for(bool)
        [span] = collector.spans
        assert (span.name, span.is_error) == ("GET", True)
        assert span.attributes["url.full"] == "https://keys.example:8443/REDACTED"


class TestGatheredRead:
    async def test_has_a_trace_of_its_own_with_links_to_those_who_share_it(
        self, double: LiveKitDouble
    ) -> None:
        async with collecting() as collector:
            await traced(collector, double, requests=3)
        alone, shared = collector.named(READ)
        requests = {place(request): request for request in collector.named("request")}
        assert (alone.trace_id, alone.parent_id) in requests
        assert shared.parent_id == ""
        assert shared.trace_id not in {trace_id for trace_id, _ in requests}
        assert {*shared.links} == requests.keys() - {(alone.trace_id, alone.parent_id)}
        assert len(shared.links) == 2
        assert sent_along(double) == f"00-{shared.trace_id}-{shared.span_id}-03"
        for sharing in shared.links:
            assert requests[sharing].links == [place(shared)]

    async def test_for_one_alone_is_in_its_trace(self, double: LiveKitDouble) -> None:
        async with collecting() as collector:
            await traced(collector, double, requests=2)
        requests = {place(request) for request in collector.named("request")}
        reads = collector.named(READ)
        assert {(span.trace_id, span.parent_id) for span in reads} == requests
        assert [span.links for span in reads] == [[], []]
