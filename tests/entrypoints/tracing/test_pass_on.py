"""A request's trace, and what LiveKit is sent of it, without OpenTelemetry."""

import asyncio
from collections.abc import Mapping

from aiohttp.test_utils import make_mocked_request

from adapters.http_client.telemetry import no_telemetry
from adapters.livekit.room_gateway import LiveKitRoomGateway
from contract.livekit_double.double import LiveKitDouble
from entrypoints.tracing.pass_on import accept_trace
from tests.entrypoints.tracing.test_spans_of_calls import double as double  # noqa: PLC0414
from tests.entrypoints.tracing.test_spans_of_calls import gateway_to, read

TRACES = [f"00-{digit * 32}-{digit * 16}-01" for digit in "123"]
STATE = "vendor=value"


async def ask(gateway: LiveKitRoomGateway, headers: Mapping[str, str]) -> str:
    trace_id = accept_trace(make_mocked_request("GET", "/", headers=headers))
    await read(gateway)
    return trace_id


class TestTrace:
    async def test_is_passed_on_as_it_came(self, double: LiveKitDouble) -> None:
        async with gateway_to(double, no_telemetry) as gateway:
            given = {"traceparent": TRACES[0], "tracestate": STATE}
            assert await asyncio.create_task(ask(gateway, given)) == "1" * 32
            sent = double.headers["ListRooms"]
            assert {name: sent[name] for name in given} == given

    async def test_is_that_of_each_request_on_a_connection(self, double: LiveKitDouble) -> None:
        async with gateway_to(double, no_telemetry) as gateway:
            assert await ask(gateway, {"traceparent": TRACES[0]})
            for none in ({}, {"traceparent": "invalid"}):
                assert await ask(gateway, none) == ""
                assert "traceparent" not in double.headers["ListRooms"]

    async def test_is_that_of_a_read_for_one_alone(self, double: LiveKitDouble) -> None:
        assert await self._gathered(double, TRACES[:2]) == TRACES[1]

    async def test_is_none_of_those_who_share_a_read(self, double: LiveKitDouble) -> None:
        assert await self._gathered(double, TRACES) is None

    async def _gathered(self, double: LiveKitDouble, traces: list[str]) -> str | None:
        async with gateway_to(double, no_telemetry) as gateway:
            asking = [ask(gateway, {"traceparent": trace}) for trace in traces]
            await asyncio.gather(*asking)
        assert double.calls == {"ListRooms": 2}
        return double.headers["ListRooms"].get("traceparent")
