"""Requests, and the spans that a collector gets of them."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from entrypoints.http.limits import Limits
from entrypoints.http.server.listener import serving
from entrypoints.tracing.otel.requests import RequestSpans
from tests.entrypoints.http.observers.failing import FaultyGateway
from tests.support.otlp_collector import ReceivedSpan, collecting, tracing_to
from tests.support.service import DEMO_REQUEST, MUTE

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"traceparent: 00-{TRACE}-{PARENT}-01"
BODY = json.dumps(DEMO_REQUEST)
JSON = "Content-Type: application/json"
SECRET = "s3cret-of-the-test"  # the collector scans for it


async def spans_of(*requests: str, error: Exception | None = None) -> Sequence[ReceivedSpan]:
    """Send each request on a connection of its own, and return the spans that a collector gets."""
    gateway = FaultyGateway(demo_room_gateway().rooms, error)
    async with collecting() as collector, tracing_to(collector) as tracer:
        spans = RequestSpans(tracer)
        app = create_app(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
            make_access=lambda gateway: RoomAccess(gateway=gateway),
            limits=Limits(leave_delay_s=0),
            begin_trace=spans.begin,
            observers=[spans.observe],
        )
        async with serving(app, host="127.0.0.1", port=0) as url:
            for each in requests:
                reader, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(each.encode())
                await reader.read()
                writer.close()
                await writer.wait_closed()
        await collector.wait_for(bool)
        return collector.spans


def request(line: str, *headers: str, body: str = "") -> str:
    head = [line, "Host: mute", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", body])


class TestSpan:
    async def test_says_what_was_asked_and_answered(self) -> None:
        [span] = await spans_of(request(f"POST {MUTE} HTTP/1.1", JSON, TRACEPARENT, body=BODY))
        assert (span.name, span.kind) == (f"POST {MUTE}", "SERVER")
        assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
        assert not span.is_error
        assert span.attributes == {
            "http.request.method": "POST",
            "http.route": MUTE,
            "url.path": MUTE,
            "url.scheme": "http",
            "network.protocol.version": "1.1",
            "client.address": "127.0.0.1",
            "http.response.status_code": 200,
        }

    @pytest.mark.parametrize("header", ["X-Other: 1", "traceparent: 00-invalid"])
    async def test_begins_a_trace_without_a_valid_one(self, header: str) -> None:
        [span] = await spans_of(request("GET /livez HTTP/1.1", header))
        assert (span.name, span.parent_id) == ("GET /livez", "")

    async def test_is_not_sent_where_the_caller_samples_it_out(self) -> None:
        unsampled = request("GET /readyz HTTP/1.1", f"traceparent: 00-{TRACE}-{PARENT}-00")
        [span] = await spans_of(unsampled, request("GET /livez HTTP/1.1"))
        assert span.name == "GET /livez"

    async def test_of_a_crashed_handler_is_an_error_with_a_status(self) -> None:
        mute = request(f"POST {MUTE} HTTP/1.1", JSON, body=BODY)
        [span] = await spans_of(mute, error=ZeroDivisionError(SECRET))
        assert span.is_error
        assert span.attributes["http.route"] == MUTE
        assert span.attributes["http.response.status_code"] == 500
        assert span.attributes["error.type"] == "ZeroDivisionError"

    async def test_of_a_request_that_is_rejected_is_no_error_of_ours(self) -> None:
        [span] = await spans_of(request(f"POST {MUTE} HTTP/1.1", JSON, body="{"))
        assert span.attributes["http.response.status_code"] == 400
        assert not span.is_error

    @pytest.mark.parametrize(
        ("sent", "name", "status"),
        [
            (request(f"GET /{SECRET} HTTP/1.1"), "GET", 404),
            (request(f"GET /livez?token={SECRET} HTTP/1.1"), "GET /livez", 200),
            (request(f"{SECRET} /livez HTTP/1.1"), "HTTP", 400),
            (request("PROPFIND /livez HTTP/1.1"), "HTTP", 405),
            (request("GET /livez HTTP/1.1", f"Authorization: Bearer {SECRET}"), "GET /livez", 200),
            (request("GET /livez HTTP/1.1", f"User-Agent: {SECRET}"), "GET /livez", 200),
            (request(f"GET http://{SECRET}@mute/livez HTTP/1.1"), "GET /livez", 200),
            (f"{SECRET}\r\n\r\n", "HTTP", 400),
        ],
    )
    async def test_holds_nothing_that_may_be_a_secret(
        self, sent: str, name: str, status: int
    ) -> None:
        [span] = await spans_of(sent)
        assert (span.name, span.attributes["http.response.status_code"]) == (name, status)
        assert "s3cret" not in str(span)
