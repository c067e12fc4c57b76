"""The service as a process: what it tells a collector, LiveKit and the authentication service."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from attrs import frozen
from prometheus_client.parser import text_string_to_metric_families

from contract.livekit_double.double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.adapters.identity.cases.authentication_service import AuthenticationService
from tests.support.command import Run, Running
from tests.support.imports import PROJECT
from tests.support.otlp_collector import ReceivedSpan, collecting
from tests.support.service import DEMO_REQUEST, MUTE

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=value"}
BEARER = {"Authorization": "Bearer s3cret-of-the-caller"}
SENT_AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "10"}
NO_COLLECTOR = SENT_AT_ONCE | {"OTEL_TRACES_EXPORTER": "otlp"}


@frozen
class Upstreams:
    livekit: LiveKitDouble
    service: AuthenticationService
    variables: dict[str, str]

    @property
    def told(self) -> list[Mapping[str, str]]:
        """What the authentication service and LiveKit, of each call, were told of the trace."""
        [asked] = self.service.requests
        calls = [self.livekit.headers[call] for call in ("ListRooms", "MutePublishedTrack")]
        return [
            {name: headers[name] for name in GIVEN if name in headers}
            for headers in (asked.headers, *calls)
        ]


@pytest.fixture
async def upstreams(tmp_path: Path) -> AsyncIterator[Upstreams]:
    alice = Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice"))
    rooms = LiveKitRooms()
    rooms.put_room(alice.room, metadata=json.dumps({"auth_id": "tenant-a"}))
    rooms.put_participant(alice)
    rooms.put_track(alice, PublishedTrack(sid=TrackSid("TR_demo_mic"), muted=False))
    double = LiveKitDouble(api_key="devkey", api_secret="s3cret" * 6, rooms=rooms)
    async with (
        AuthenticationService().running() as service,
        TestServer(double.app()) as livekit,
    ):
        key = tmp_path / "key.pem"
        key.write_bytes(service.keys.pem)
        variables = {
            "LIVEKIT_URL": str(livekit.make_url("/")),
            "LIVEKIT_API_KEY": double.api_key,
            "LIVEKIT_API_SECRET": double.api_secret,
            "AUTH_SERVICE_URL": service.url,
            "AUTH_SIGNING_KEY_PATH": str(key),
        }
        yield Upstreams(double, service, variables)


async def mute(running: Running) -> None:
    """Mute after the call that the service makes of its own at its start."""
    await asyncio.to_thread(running.wait_for, "LiveKit can be used")
    url = f"{running.url}{MUTE}?token=s3cret-in-the-query"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=DEMO_REQUEST, headers=BEARER | GIVEN) as answer,
    ):
        assert answer.status == 200


async def counts_of_calls(running: Running) -> dict[str, float]:
    """Ask the service's metrics how often each of LiveKit's methods was called."""
    [listening] = [event for event in running.events if event["event"] == "listening"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(str(listening["metrics_url"])) as answer,
    ):
        families = text_string_to_metric_families(await answer.text())
    return {
        sample.labels["method"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "livekit_mute_upstream_call_seconds_count"
        and sample.labels["server"] == "livekit"
    }


async def stop(running: Running) -> None:
    running.send(signal.SIGTERM)
    assert await asyncio.to_thread(running.process.wait) == 0


def of_request(spans: Sequence[ReceivedSpan]) -> list[ReceivedSpan]:
    return [span for span in spans if span.trace_id == TRACE]


def trace_ids(running: Running) -> list[object]:
    return [event["trace_id"] for event in running.events if event["event"] == "request"]


def warnings(running: Running) -> list[object]:
    return [event["problem"] for event in running.events if event["event"] == "settings warning"]


class TestTracedService:
    async def test_tells_one_request_from_its_caller_to_livekit(
        self, start: Run, upstreams: Upstreams
    ) -> None:
        async with collecting() as collector:
            running = start(
                **upstreams.variables | SENT_AT_ONCE,
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
                METRICS_PORT="0",
                LIVEKIT_PROBE_DELAY_SECONDS="60",  # no probe
            )
            await mute(running)
            assert await counts_of_calls(running) == {"ListRooms": 2, "MutePublishedTrack": 1}
            await collector.wait_for(lambda spans: len(of_request(spans)) == 5)
            await stop(running)
            spans = {span.name: span for span in of_request(collector.spans)}
            assert len(spans) == 5
        request, check, asked, read, muted = (
            spans[name]
            for name in (
                f"POST {MUTE}",
                "identity authentication-service",
                "POST",
                "livekit.RoomService/ListRooms",
                "livekit.RoomService/MutePublishedTrack",
            )
        )
        assert {span.trace_id for span in spans.values()} == {TRACE}
        assert [request.parent_id, check.parent_id] == [PARENT, request.span_id]
        assert [read.parent_id, muted.parent_id] == [request.span_id] * 2
        assert asked.parent_id == check.span_id
        assert upstreams.told == [
            GIVEN | {"traceparent": f"00-{TRACE}-{span.span_id}-01"}
            for span in (asked, read, muted)
        ]
        assert trace_ids(running) == [TRACE]
        port = upstreams.service.port
        assert asked.attributes == {
            "http.request.method": "POST",
            "url.full": f"http://127.0.0.1:{port}/REDACTED",
            "server.address": "127.0.0.1",
            "server.port": port,
            "http.response.status_code": 200,
            "livekit_mute.outcome": "ok",
        }
        assert collector.events == []
        assert {resource["service.name"] for resource in collector.resources} == {"livekit-mute"}

    async def test_sends_what_is_left_at_its_end(self, start: Run, upstreams: Upstreams) -> None:
        async with collecting() as collector:
            running = start(
                **upstreams.variables,
                OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
                OTEL_SERVICE_NAME="mute-eu",
                OTEL_BSP_SCHEDULE_DELAY="3600000",
            )
            await mute(running)
            await stop(running)
        [resource] = collector.resources
        assert resource["service.name"] == "mute-eu"

    async def test_goes_on_without_its_collector(self, start: Run, upstreams: Upstreams) -> None:
        with socket.socket() as not_listening:
            not_listening.bind(("127.0.0.1", 0))
            port = not_listening.getsockname()[1]
            endpoint = f"http://127.0.0.1:{port}/?key=s3cret-of-the-collector"
            running = start(
                **upstreams.variables | NO_COLLECTOR, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=endpoint
            )
            await mute(running)
            running.wait_for("tracing problem")
            await mute(running)
            await stop(running)
        reasons = [each["reason"] for each in running.events if each["event"] == "tracing problem"]
        assert "ConnectionError" in str(reasons[0])


class TestServiceWithoutSpans:
    async def test_passes_a_trace_on_as_it_came(self, start: Run, upstreams: Upstreams) -> None:
        running = start(**upstreams.variables, OTEL_SERVICE_NAME="unused")
        await mute(running)
        await stop(running)
        assert upstreams.told == [GIVEN] * 3
        assert trace_ids(running) == [TRACE]
        assert warnings(running) == []

    async def test_says_what_to_install(
        self, start: Run, upstreams: Upstreams, tmp_path: Path
    ) -> None:
        (tmp_path / "opentelemetry.py").write_text("raise ImportError")
        running = start(**upstreams.variables | NO_COLLECTOR, PYTHONPATH=f"{tmp_path}:{PROJECT}")
        await mute(running)
        await stop(running)
        [warning] = warnings(running)
        assert "pip install 'livekit-mute[otel]'" in str(warning)
        assert upstreams.told == [GIVEN] * 3

    async def test_says_that_opentelemetry_refuses_a_variable(
        self, start: Run, upstreams: Upstreams
    ) -> None:
        running = start(**upstreams.variables | NO_COLLECTOR, OTEL_BSP_MAX_QUEUE_SIZE="0")
        await mute(running)
        [warning] = warnings(running)
        assert "OpenTelemetry cannot be set up" in str(warning)
        assert upstreams.told == [GIVEN] * 3
