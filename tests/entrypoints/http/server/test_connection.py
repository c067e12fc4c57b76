import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiohttp import web
from attrs import frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from domain.track import Participant, Track, TrackSid
from entrypoints.http.api.lifecycle import RequestLifecycle
from entrypoints.http.limits import Limits
from entrypoints.http.server.connection import Connection
from entrypoints.http.server.traffic import Traffic
from tests.entrypoints.http.conftest import Serve, patient
from tests.entrypoints.http.delegated import CountingGateway
from tests.entrypoints.http.held import HeldGateway
from tests.support.service import DEMO_REQUEST, MUTE, Service, parse_answers

HOST = b"Host: x\r\n"
POST = f"POST {MUTE} HTTP/1.1\r\n".encode() + HOST + b"Content-Type: application/json\r\n"
NEXT = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: next\r\nConnection: close\r\n\r\n"
ALIVE = NEXT.replace(b"close", b"keep-alive")

MUTE_BODY = json.dumps(DEMO_REQUEST).encode()
CHUNKED_MUTE = f"{len(MUTE_BODY):x}\r\n".encode() + MUTE_BODY + b"\r\n0\r\n\r\n"

MALFORMED = {
    "no HTTP": b"GARBAGE\r\n\r\n",
    "no HTTP, not even text": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/1.2": b"GET /livez HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "line feeds alone": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "folded header": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "space before a colon": b"GET /livez HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n",
    "NUL in a header": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "unknown method": b"S3CRET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "over-long request line": b"GET /" + b"a" * 8190 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "over-long header": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 8191 + b"\r\n\r\n",
    "too many headers": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 300 + b"\r\n",
    "port out of range": b"GET http://x:99999/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "two media types": POST + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "negative length": POST + b"Content-Length: -5\r\n\r\nabcde",
    "endless length": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    "two transfer encodings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED_MUTE,
    "unknown transfer encoding": POST + b"Transfer-Encoding: s3cret\r\n\r\n0\r\n\r\n",
    "broken chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nS3\r\nabc\r\n0\r\n\r\n",
    "unknown expectation": POST + b"Expect: s3cret\r\nContent-Length: 2\r\n\r\n{}",
    "unknown expectation elsewhere": b"GET /x HTTP/1.1\r\n" + HOST + b"Expect: s3cret\r\n\r\n",
}


@frozen
class SlowGateway(InMemoryRoomGateway):
    """Takes longer to mute than the next packet takes to arrive."""

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        await asyncio.sleep(0.2)
        return await super().mute_track(
            participant, track_sid, muted=muted, room_was_read=room_was_read, deadline=deadline
        )


class TestMalformedHttp:
    @pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED.keys())
    @pytest.mark.parametrize("behind", [b"", NEXT], ids=["alone", "before another"])
    async def test_gets_one_response_and_the_connection_is_closed(
        self, service: Service, request_: bytes, behind: bytes
    ) -> None:
        [answer] = await service.send(request_ + behind)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert b"s3cret" not in answer.body.lower()
        assert answer.headers["Connection"] == "close"
        assert service.events[-1]["code"] == "INVALID_REQUEST"
        assert service.events[-1]["reason"] == answer.json["error"]

    async def test_leaves_earlier_requests_alone(self, service: Service) -> None:
        answers = await service.send(ALIVE, b"\0\r\n\r\n", path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200, 400]

    async def test_is_detected_in_the_body_of_a_queued_request(
        self, serve: Serve, gateway: InMemoryRoomGateway
    ) -> None:
        slow = SlowGateway(gateway.rooms)
        service = await serve(other_gateway=slow)
        first = POST + f"Content-Length: {len(MUTE_BODY)}\r\n\r\n".encode() + MUTE_BODY
        second = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        answers = await service.send(first + second, b"S3\r\n\r\n", path=MUTE)
        assert [answer.status for answer in answers] == [200, 400]

    async def test_is_detected_in_a_body_that_comes_in_pieces(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head, b"2\r\n{", b"}\r\nS3\r\n", NEXT, path=MUTE)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert not caplog.records

    async def test_is_detected_behind_a_complete_body(
        self, serve: Serve, rooms: CountingGateway
    ) -> None:
        service = await serve(other_gateway=rooms)
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        body = f"{len(MUTE_BODY):x}\r\n".encode() + MUTE_BODY
        [answer] = await service.send(head + body, b"\r\n0\n\r\n", path=MUTE)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert not rooms.calls

    @pytest.mark.parametrize(
        "host", ["a b", "x/y", "u@x", "x:abc", "[::1", "::1", "x,y z", "x?y", "x#", '"x"', "é"]
    )
    async def test_includes_an_invalid_host(self, service: Service, host: str) -> None:
        [answer] = await service.send(f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert answer.outcome == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize(
        "target",
        ["http://[/", "http://a:b/", "http://x:99999/"],
    )
    @pytest.mark.parametrize("number", [0, 1, 200])
    async def test_includes_an_invalid_target(
        self, service: Service, target: str, number: int
    ) -> None:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        *_, last = await service.send(number * ALIVE + request + NEXT, path="/livez", method="GET")
        assert last.outcome == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize("host", ["", "x", "x:", "x:80", "127.0.0.1:3001", "[::1]:80", "a_b.c"])
    async def test_includes_no_valid_host(self, service: Service, host: str) -> None:
        request = f"GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        [answer] = await service.send(request.encode(), path="/livez", method="GET")
        assert answer.status == 200


class TestRouting:
    @pytest.mark.parametrize(
        "path", ["/nope", f"{MUTE}/", f"/{MUTE}", "/livekit", "/%ff%00", "/%zz", "/LIVEZ"]
    )
    async def test_rejects_an_unknown_path(self, service: Service, path: str) -> None:
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        [answer] = await service.send(request.encode())
        assert answer.outcome == (404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [("GET", MUTE, "POST"), ("DELETE", MUTE, "POST"), ("POST", "/livez", "GET,HEAD")],
    )
    async def test_lists_the_methods_of_a_path(
        self, service: Service, method: str, path: str, allow: str
    ) -> None:
        answer = await service.ask(method, path)
        assert answer.outcome == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == allow

    async def test_comes_before_credentials(self, guarded: Service) -> None:
        assert (await guarded.ask("POST", "/nope")).status == 404
        assert (await guarded.ask("GET", MUTE)).status == 405


class TestHttp10:
    async def test_needs_no_host(self, service: Service) -> None:
        answers = await service.send(b"GET / HTTP/1.0\r\n\r\n", path="/", method="GET")
        assert [answer.status for answer in answers] == [200]


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "A-z_0.9", "x" * 128])
    async def test_is_the_clients_where_it_is_usable(self, service: Service, given: str) -> None:
        answer = await service.ask("GET", "/livez", headers={"X-Request-ID": given})
        assert answer.headers["X-Request-ID"] == given
        assert service.events[-1]["request_id"] == given

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a/b", "é", "a,b"])
    async def test_is_a_new_one_otherwise(self, service: Service, given: str) -> None:
        answer = await service.ask("GET", "/livez", headers={"X-Request-ID": given})
        assert answer.headers["X-Request-ID"] not in ("", given)
        assert service.events[-1]["request_id"] == answer.headers["X-Request-ID"]

    async def test_is_a_new_one_where_two_are_given(self, service: Service) -> None:
        twice = b"X-Request-ID: a\r\nX-Request-ID: b\r\n"
        [answer] = await service.send(
            b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + twice + b"\r\n"
        )
        assert len(answer.headers["X-Request-ID"]) == 32


class TestLineLength:
    @pytest.mark.parametrize("head", [b"GET /livez?%b HTTP/1.1", b"GET /livez HTTP/1.1\r\nX: %b"])
    async def test_is_limited_in_every_line(self, serve: Serve, head: bytes) -> None:
        service = await serve(limits=patient(max_line_bytes=300))
        rest = b"\r\nHost: x\r\nConnection: close\r\n\r\n"
        for length, status in ((200, 200), (301, 400)):
            [answer] = await service.send(
                head % (length * b"x") + rest,
                path="/livez" if status == 200 else None,
                method="GET",
            )
            assert answer.status == status


class TestLargeBody:
    """Reading pauses at 128 KiB of a body, until a handler reads."""

    @pytest.mark.parametrize("is_chunked", [False, True])
    @pytest.mark.parametrize("parts", [1, 2, 50])
    async def test_is_received_whole_with_the_request_behind_it(
        self, serve: Serve, *, is_chunked: bool, parts: int
    ) -> None:
        service = await serve(limits=patient(max_body_bytes=1 << 20))
        body = MUTE_BODY.ljust(1 << 20)
        framed = b"Content-Length: %d\r\n\r\n" % len(body) + body
        sent = (POST + framed) * 2 + POST + b"Connection: close\r\n" + framed
        if is_chunked:  # the last on its connection
            chunk = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
            sent = POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
        size = len(sent) // parts + 1
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        answers = await service.send(*pieces, path=MUTE)
        assert [each.json for each in answers] == [DEMO_REQUEST] * (1 if is_chunked else 3)


class TestChunks:
    async def test_are_joined(self, service: Service) -> None:
        head = POST + b"Transfer-Encoding: Chunked\r\n\r\n"
        [answer] = await service.send(head + CHUNKED_MUTE, path=MUTE)
        assert answer.json == DEMO_REQUEST

    async def test_may_be_one_byte_each(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_body_bytes=len(MUTE_BODY)))
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in MUTE_BODY) + b"0\r\n\r\n"
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head, chunks[:99], chunks[99:], path=MUTE)
        assert answer.status == 200

    async def test_are_rejected_where_their_framing_exceeds_the_limit(self, serve: Serve) -> None:
        service = await serve(limits=patient(max_body_bytes=300))
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n2;x="
        [answer] = await service.send(head, b"x" * 2500, path=MUTE)
        assert answer.outcome == (400, "INVALID_REQUEST")
        problem = "the body takes more than 2400 bytes (8 times MAX_BODY_BYTES)"
        assert answer.json["error"] == problem

    @pytest.mark.parametrize("apart", [True, False])
    async def test_are_the_last_on_their_connection(self, service: Service, apart: bool) -> None:
        """aiohttp 3.14.5 can take a part of them for one of the next request."""
        first = POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED_MUTE
        parts = [first, NEXT] if apart else [first + NEXT]
        [answer] = await service.send(*parts, path=MUTE)
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"

    async def test_are_unknown_to_http_1_0(self, service: Service) -> None:
        head = POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head + CHUNKED_MUTE, path=MUTE)
        assert answer.outcome == (400, "INVALID_REQUEST")


class TestConnect:
    async def test_is_the_last_on_its_connection(self, service: Service) -> None:
        """aiohttp 3.14.5 does not find the end of every such request."""
        answers = await service.send(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n" + NEXT)
        assert [answer.outcome for answer in answers] == [(404, "NOT_FOUND")]


class TestHalfClosedConnection:
    @pytest.mark.parametrize("pause_s", [0, 0.05])
    async def test_does_not_prevent_responses(self, service: Service, pause_s: float) -> None:
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(ALIVE + POST + b"Content-Length: 2\r\n\r\n{}")
        await asyncio.sleep(pause_s)
        writer.write_eof()
        answers = parse_answers(await reader.read())
        writer.close()
        await writer.wait_closed()
        assert [answer.status for answer in answers] == [200, 400]

    async def test_keeps_the_responses_to_complete_requests(self, service: Service) -> None:
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(ALIVE + POST + b"Content-Length: 2\r\n\r\n{")
        writer.write_eof()
        answers = parse_answers(await reader.read())
        writer.close()
        await writer.wait_closed()
        assert answers[0].status == 200  # another may say that the rest is missing
        assert service.events[-1]["reason"] == "the client disconnected"

    @pytest.mark.parametrize("sent", [b"", b"GET /", POST + b"Content-Length: 2\r\n\r\n{"])
    async def test_before_the_end_of_a_request_ends_the_connection(
        self, service: Service, sent: bytes
    ) -> None:
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


class TestBodySize:
    async def test_is_checked_by_content_length_before_reading(self, service: Service) -> None:
        request = POST + b"Expect: 100-continue\r\nContent-Length: 16385\r\n\r\n"
        [answer] = await service.send(request, b"x" * 16385, path=MUTE)
        assert answer.outcome == (413, "PAYLOAD_TOO_LARGE")
        assert answer.json["error"] == "the body is larger than 16384 bytes (MAX_BODY_BYTES)"

    async def test_is_counted_without_content_length(self, service: Service) -> None:
        chunks = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
        request = POST + b"Transfer-Encoding: chunked\r\n\r\n" + 2 * chunks + b"1\r\n \r\n0\r\n\r\n"
        [answer] = await service.send(request, path=MUTE)
        assert answer.outcome == (413, "PAYLOAD_TOO_LARGE")

    async def test_is_counted_while_it_arrives(self, service: Service) -> None:
        """The rest of the body never arrives."""
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
        [answer] = await service.send(head, chunk, chunk, chunk, path=MUTE)
        assert answer.outcome == (413, "PAYLOAD_TOO_LARGE")

    async def test_may_be_16_kib(self, service: Service) -> None:
        assert (await service.post(b"{}" + b" " * 16382)).status == 400


class TestCompressedBody:
    async def test_is_not_decompressed(self, service: Service) -> None:
        """Or else what is no gzip would break the connection, and a bomb would fill the memory."""
        request = POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
        after = POST + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
        first, second = await service.send(request, after, path=MUTE)
        assert first.status == 415
        assert second.json["error"].startswith("room_name is missing")


class TestExpectation:
    async def test_is_answered_only_when_the_body_is_read(self, guarded: Service) -> None:
        head = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
        token = b"Authorization: Bearer secret-of-demo\r\n"
        refused = await guarded.send(head + b"\r\n", b"{}", path=MUTE)
        invited = await guarded.send(head + token + b"\r\n", b"{}", path=MUTE)
        assert [answer.status for answer in refused] == [401]
        assert [answer.status for answer in invited] == [100, 400]

    async def test_is_not_answered_where_the_body_has_arrived(self, service: Service) -> None:
        head = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
        assert [answer.status for answer in await service.send(head, path=MUTE)] == [400]

    async def test_is_answered_for_an_unknown_path_too(self, service: Service) -> None:
        request = (
            b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        answers = await service.send(request, path="/x")
        assert answers[-1].outcome == (404, "NOT_FOUND")

    async def test_is_ignored_in_http_1_0(self, service: Service) -> None:
        for expected in (b"s3cret", b"100-continue"):
            head = POST.replace(b"1.1", b"1.0") + b"Expect: " + expected + b"\r\n"
            answers = await service.send(head + b"Content-Length: 2\r\n\r\n", b"{}", path=MUTE)
            assert [answer.status for answer in answers] == [400]


async def send_requests_forever(writer: asyncio.StreamWriter, pause_s: float) -> None:
    while True:
        writer.write(100 * ALIVE)
        await writer.drain()
        await asyncio.sleep(pause_s)


class TestSlowClients:
    async def test_get_408_when_the_body_does_not_arrive(self, serve: Serve) -> None:
        service = await serve(limits=patient(body_timeout_s=0.2))
        [answer] = await service.send(POST + b"Content-Length: 2\r\n\r\n{", path=MUTE)
        assert answer.outcome == (408, "REQUEST_TIMEOUT")

    @pytest.mark.parametrize(
        ("body_s", "request_s", "setting"), [(0.2, 3600, "BODY"), (3600, 0.2, "REQUEST")]
    )
    async def test_get_408_at_the_earlier_of_two_timeouts_which_is_named(
        self, serve: Serve, body_s: float, request_s: float, setting: str
    ) -> None:
        limits = patient(body_timeout_s=body_s, request_timeout_s=request_s)
        service = await serve(limits=limits)
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(POST + b"Content-Length: 2\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        assert f"({setting}_TIMEOUT_SECONDS)".encode() in await reader.readuntil(b"}")
        writer.close()
        await writer.wait_closed()

    @pytest.mark.parametrize("sent", [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
    async def test_are_disconnected_when_the_headers_do_not_arrive(
        self, serve: Serve, sent: bytes
    ) -> None:
        service = await serve(limits=patient(headers_timeout_s=0.2))
        assert await service.send(sent) == []

    async def test_are_disconnected_when_later_headers_do_not_arrive(self, serve: Serve) -> None:
        service = await serve(limits=patient(headers_timeout_s=0.2))
        answers = await service.send(ALIVE, b"GET /livez", path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200]

    async def test_are_disconnected_after_a_request_to_upgrade(self, serve: Serve) -> None:
        service = await serve(limits=patient(headers_timeout_s=0.2))
        upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        answers = await service.send(upgrade + NEXT, path="/", method="GET")
        assert [answer.status for answer in answers] == [200]

    async def test_are_disconnected_when_idle(self, serve: Serve) -> None:
        service = await serve(limits=patient(idle_timeout_s=0.2))
        assert await service.send() == []
        answers = await service.send(ALIVE, path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200]

    @pytest.mark.parametrize("pause_s", [0.0, 0.02], ids=["all at once", "in small steps"])
    async def test_are_disconnected_when_they_read_no_responses(
        self, serve: Serve, pause_s: float
    ) -> None:
        limits = patient(body_timeout_s=0.2, idle_timeout_s=0.1)
        service = await serve(limits=limits)
        _, writer = await asyncio.open_connection(service.url.host, service.url.port, limit=1)
        with pytest.raises(ConnectionError):
            await send_requests_forever(writer, pause_s)
        writer.close()
        assert (await service.mute()).status == 200
        assert service.traffic.connections == 1

    @pytest.mark.parametrize(
        "parts",
        [
            [ALIVE],
            [POST + b"Content-Length: 2\r\n\r\n", b"{}"],
            [POST.replace(b"/json", b"/x") + b"Content-Length: 2\r\n\r\n", b"{}"],
        ],
        ids=["no body", "a body later", "a body after its answer"],
    )
    async def test_may_pause_between_requests(self, serve: Serve, parts: list[bytes]) -> None:
        service = await serve(limits=patient(headers_timeout_s=0.2))
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        for _ in range(2):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.02)
            assert b"HTTP/1.1 " in await reader.readuntil(b"}")
            await asyncio.sleep(0.3)
        writer.close()
        await writer.wait_closed()


class TestDisconnectedClients:
    @pytest.mark.parametrize("last", [b"", b"S3\r\n"], ids=["disconnects", "sends a broken chunk"])
    async def test_after_their_response_cause_no_error(
        self, service: Service, caplog: pytest.LogCaptureFixture, last: bytes
    ) -> None:
        """The server reads the rest of the body: closing would reset the connection."""
        head = POST.replace(b"/json", b"/x") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{"
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(head)
        assert b"415" in await reader.readuntil(b"}")
        writer.write(last)
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert not caplog.records

    async def test_after_their_response_leave_no_task(self, serve: Serve) -> None:
        service = await serve(limits=patient())
        before = len(asyncio.all_tasks())
        head = POST.replace(b"/json", b"/x") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{"
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(head)
        assert b"415" in await reader.readuntil(b"}")
        writer.close()
        await writer.wait_closed()
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - ends with the connection
            await asyncio.sleep(0.01)

    async def test_cause_one_event_and_no_error(self, service: Service) -> None:
        _, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(POST + b"Content-Length: 2\r\n\r\n{")
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        while not service.events:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # another one would come soon
        [event] = service.events
        assert (event["code"], event["reason"]) == ("INVALID_REQUEST", "the client disconnected")
        assert (await service.mute()).status == 200


class TestSlowResponse:
    async def test_outlasts_the_headers_timeout(self, serve: Serve, held: HeldGateway) -> None:
        """A request that was begun behind it is then disconnected after that timeout."""
        service = await serve(other_gateway=held, limits=patient(headers_timeout_s=0.2))
        request = POST + f"Content-Length: {len(MUTE_BODY)}\r\n\r\n".encode() + MUTE_BODY
        asyncio.get_running_loop().call_later(0.5, held.released.set)
        answers = await service.send(request, b"GET /livez", path=MUTE)
        assert [answer.status for answer in answers] == [200]


@asynccontextmanager
async def connection(limits: Limits) -> AsyncIterator[tuple[asyncio.Transport, Connection]]:
    """A connection of its own, whose client neither sends nor reads."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        raise NotImplementedError

    connect = partial(
        Connection,
        web.Server(handler),
        limits=limits,
        traffic=Traffic(max_in_flight=1),
        hooks=RequestLifecycle(request_timeout_s=1, observers=[]),
    )
    ours, clients = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_accepted_socket(connect, ours)
    yield transport, protocol
    transport.abort()
    clients.close()
    await asyncio.sleep(0)


class TestUnreadResponses:
    async def test_are_noticed_from_the_first_byte(self) -> None:
        """Or else a client that reads nothing would go unnoticed up to 64 KiB."""
        async with connection(patient()) as (transport, _):
            assert transport.get_write_buffer_limits() == (0, 0)

    async def test_end_the_connection_unless_they_are_read_in_time(self) -> None:
        async with connection(patient(body_timeout_s=0.05)) as (transport, protocol):
            protocol.pause_writing()
            protocol.resume_writing()
            await asyncio.sleep(0.2)
            assert not transport.is_closing()
            protocol.pause_writing()
            while not transport.is_closing():  # noqa: ASYNC110 - closed by a timer
                await asyncio.sleep(0.01)


def connections_alive() -> int:
    return sum(isinstance(each, Connection) for each in gc.get_objects())


class TestClosedConnections:
    async def test_are_freed_without_the_garbage_collector(self, service: Service) -> None:
        """It runs seldom, and bodies may be large: thousands would be in memory at a time."""
        gc.collect()
        before = connections_alive()
        gc.disable()
        try:
            head = POST + b"Connection: close\r\nContent-Length: "
            await service.send(head + b"%d\r\n\r\n" % len(MUTE_BODY) + MUTE_BODY, path=MUTE)
            await service.send(head + b"99999\r\n\r\n{}", path=MUTE)
            await service.send(b"\0\r\n\r\n")
            while connections_alive() > before:  # noqa: ASYNC110 - ends with the connections
                await asyncio.sleep(0.01)
        finally:
            gc.enable()
