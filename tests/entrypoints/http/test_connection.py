import asyncio
import json
import math

import pytest
from attrs import frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.entrypoints.http.delegated import CountingGateway
from tests.service import DEMO_WISH, MUTE, Service, parse_answers

HOST = b"Host: x\r\n"
POST = f"POST {MUTE} HTTP/1.1\r\n".encode() + HOST + b"Content-Type: application/json\r\n"
NEXT = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: next\r\nConnection: close\r\n\r\n"
ALIVE = NEXT.replace(b"close", b"keep-alive")

WISH = json.dumps(DEMO_WISH).encode()
CHUNKED_WISH = f"{len(WISH):x}\r\n".encode() + WISH + b"\r\n0\r\n\r\n"

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
    "two transfer encodings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED_WISH,
    "unknown transfer encoding": POST + b"Transfer-Encoding: s3cret\r\n\r\n0\r\n\r\n",
    "broken chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nS3\r\nabc\r\n0\r\n\r\n",
    "unknown expectation": POST + b"Expect: s3cret\r\nContent-Length: 2\r\n\r\n{}",
    "unknown expectation elsewhere": b"GET /x HTTP/1.1\r\n" + HOST + b"Expect: s3cret\r\n\r\n",
}


@frozen
class SlowGateway(InMemoryRoomGateway):
    """Takes longer to mute than it takes the next packet to come."""

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        await asyncio.sleep(0.2)
        return await super().mute_track(participant, track_sid, muted=muted, until=until)


class TestMalformedHttp:
    @pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED.keys())
    @pytest.mark.parametrize("behind", [b"", NEXT], ids=["alone", "before another"])
    async def test_is_answered_once_and_the_connection_closed(
        self, service: Service, request_: bytes, behind: bytes
    ) -> None:
        [answer] = await service.send(request_ + behind)
        assert answer.told == (400, "INVALID_REQUEST")
        assert b"s3cret" not in answer.body.lower()
        assert answer.headers["Connection"] == "close"
        assert service.events[-1]["code"] == "INVALID_REQUEST"

    async def test_leaves_other_requests_alone(self, service: Service) -> None:
        answers = await service.send(ALIVE, b"\0\r\n\r\n", path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200, 400]

    async def test_is_noticed_in_a_body_that_waits_its_turn(
        self, serve: Serve, gateway: InMemoryRoomGateway
    ) -> None:
        slow = SlowGateway(gateway.rooms)
        service = await serve(other_gateway=slow)
        first = POST + f"Content-Length: {len(WISH)}\r\n\r\n".encode() + WISH
        second = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        answers = await service.send(first + second, b"S3\r\n\r\n", path=MUTE)
        assert [answer.status for answer in answers] == [200, 400]

    async def test_is_noticed_in_a_body_that_comes_in_pieces(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head, b"2\r\n{", b"}\r\nS3\r\n", NEXT, path=MUTE)
        assert answer.told == (400, "INVALID_REQUEST")
        assert not caplog.records

    async def test_is_noticed_behind_a_body_that_is_all_there(
        self, serve: Serve, rooms: CountingGateway
    ) -> None:
        service = await serve(other_gateway=rooms)
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        body = f"{len(WISH):x}\r\n".encode() + WISH
        [answer] = await service.send(head + body, b"\r\n0\n\r\n", path=MUTE)
        assert answer.told == (400, "INVALID_REQUEST")
        assert not rooms.calls

    @pytest.mark.parametrize(
        "host", ["a b", "x/y", "u@x", "x:abc", "[::1", "::1", "x,y z", "x?y", "x#", '"x"', "é"]
    )
    async def test_is_a_host_that_names_none(self, service: Service, host: str) -> None:
        [answer] = await service.send(f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert answer.told == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize(
        "target",
        ["http://xn--a/", "http://][@/", "http://[/", "http://a:b/", "http://x:99999/"],
    )
    @pytest.mark.parametrize("number", [0, 1, 200])
    async def test_is_a_target_that_cannot_be_read(
        self, service: Service, target: str, number: int
    ) -> None:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        *_, last = await service.send(number * ALIVE + request + NEXT, path="/livez", method="GET")
        assert last.told == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize("host", ["", "x", "x:", "x:80", "127.0.0.1:3001", "[::1]:80", "a_b.c"])
    async def test_is_no_other_host(self, service: Service, host: str) -> None:
        request = f"GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        [answer] = await service.send(request.encode(), path="/livez", method="GET")
        assert answer.status == 200


class TestRouting:
    @pytest.mark.parametrize(
        "path", ["/nope", f"{MUTE}/", f"/{MUTE}", "/livekit", "/%ff%00", "/%zz", "/LIVEZ"]
    )
    async def test_tells_of_an_unknown_path(self, service: Service, path: str) -> None:
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        [answer] = await service.send(request.encode())
        assert answer.told == (404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [("GET", MUTE, "POST"), ("DELETE", MUTE, "POST"), ("POST", "/livez", "GET,HEAD")],
    )
    async def test_tells_which_methods_a_path_knows(
        self, service: Service, method: str, path: str, allow: str
    ) -> None:
        answer = await service.ask(method, path)
        assert answer.told == (405, "METHOD_NOT_ALLOWED")
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
    async def test_is_the_callers_where_it_is_usable(self, service: Service, given: str) -> None:
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
    @pytest.mark.parametrize(
        "head", [b"GET /" + b"x" * 300 + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 301]
    )
    async def test_is_bounded_in_every_line(self, serve: Serve, head: bytes) -> None:
        service = await serve(limits=Limits(leaving_s=0, max_line_bytes=300))
        [answer] = await service.send(head + b"\r\n" + HOST + b"\r\n")
        assert answer.told == (400, "INVALID_REQUEST")


class TestChunks:
    async def test_are_put_together(self, service: Service) -> None:
        head = POST + b"Transfer-Encoding: Chunked\r\n\r\n"
        [answer] = await service.send(head + CHUNKED_WISH, path=MUTE)
        assert answer.json == DEMO_WISH

    async def test_may_be_as_small_as_can_be(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, max_body_bytes=len(WISH)))
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in WISH) + b"0\r\n\r\n"
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head, chunks[:99], chunks[99:], path=MUTE)
        assert answer.status == 200

    async def test_are_refused_where_they_are_more_frame_than_body(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, max_body_bytes=300))
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n2;x="
        [answer] = await service.send(head, b"x" * 2500, path=MUTE)
        assert answer.told == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize("apart", [True, False])
    async def test_leave_no_trailer_to_the_next_request(
        self, guarded: Service, apart: bool
    ) -> None:
        """As a trailer of one caller would, behind a proxy, be the token of another."""
        trailer = b"0\r\nAuthorization: Bearer secret-of-demo\r\n\r\n"
        first = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + trailer
        second = POST + b"Content-Length: 2\r\n\r\n{}"
        parts = [first, second] if apart else [first + second]
        [answer] = await guarded.send(*parts, path=MUTE)
        assert answer.status == 401
        assert answer.headers["Connection"] == "close"

    async def test_are_unknown_to_http_1_0(self, service: Service) -> None:
        head = POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n"
        [answer] = await service.send(head + CHUNKED_WISH, path=MUTE)
        assert answer.told == (400, "INVALID_REQUEST")


class TestConnect:
    async def test_has_no_body_that_could_be_a_request(self, service: Service) -> None:
        head = f"CONNECT x:80 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(NEXT)}\r\n\r\n"
        answers = await service.send(head.encode() + NEXT)
        assert [answer.told for answer in answers] == [(404, "NOT_FOUND")]


class TestHalfClosing:
    @pytest.mark.parametrize("pause_s", [0, 0.05])
    async def test_is_no_reason_not_to_answer(self, service: Service, pause_s: float) -> None:
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(ALIVE + POST + b"Content-Length: 2\r\n\r\n{}")
        await asyncio.sleep(pause_s)
        writer.write_eof()
        answers = parse_answers(await reader.read())
        writer.close()
        await writer.wait_closed()
        assert [answer.status for answer in answers] == [200, 400]

    async def test_leaves_what_was_whole_to_be_answered(self, service: Service) -> None:
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(ALIVE + POST + b"Content-Length: 2\r\n\r\n{")
        writer.write_eof()
        answers = parse_answers(await reader.read())
        writer.close()
        await writer.wait_closed()
        assert answers[0].status == 200  # another may tell that the rest is missing
        assert service.events[-1]["reason"] == "the client broke off"

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
    async def test_is_told_from_the_length_before_anything_is_read(self, service: Service) -> None:
        request = POST + b"Expect: 100-continue\r\nContent-Length: 16385\r\n\r\n"
        [answer] = await service.send(request, b"x" * 16385, path=MUTE)
        assert answer.told == (413, "PAYLOAD_TOO_LARGE")

    async def test_is_counted_where_it_is_not_told(self, service: Service) -> None:
        chunks = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
        request = POST + b"Transfer-Encoding: chunked\r\n\r\n" + 2 * chunks + b"1\r\n \r\n0\r\n\r\n"
        [answer] = await service.send(request, path=MUTE)
        assert answer.told == (413, "PAYLOAD_TOO_LARGE")

    async def test_is_counted_while_it_arrives(self, service: Service) -> None:
        """And refused before its end, which never comes."""
        head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
        [answer] = await service.send(head, chunk, chunk, chunk, path=MUTE)
        assert answer.told == (413, "PAYLOAD_TOO_LARGE")

    async def test_may_be_16_kib(self, service: Service) -> None:
        assert (await service.post(b"{}" + b" " * 16382)).status == 400


class TestExpectation:
    async def test_is_met_only_when_the_body_is_wanted(self, guarded: Service) -> None:
        head = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
        token = b"Authorization: Bearer secret-of-demo\r\n"
        refused = await guarded.send(head + b"\r\n", b"{}", path=MUTE)
        invited = await guarded.send(head + token + b"\r\n", b"{}", path=MUTE)
        assert [answer.status for answer in refused] == [401]
        assert [answer.status for answer in invited] == [100, 400]

    async def test_is_not_met_where_the_body_is_there(self, service: Service) -> None:
        head = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
        assert [answer.status for answer in await service.send(head, path=MUTE)] == [400]

    async def test_is_met_for_a_path_that_is_not_there_as_for_any(self, service: Service) -> None:
        request = (
            b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        answers = await service.send(request, path="/x")
        assert answers[-1].told == (404, "NOT_FOUND")

    async def test_is_nothing_to_http_1_0(self, service: Service) -> None:
        head = POST.replace(b"1.1", b"1.0") + b"Expect: s3cret\r\nContent-Length: 2\r\n\r\n{}"
        assert [answer.status for answer in await service.send(head, path=MUTE)] == [400]


async def ask_without_end(writer: asyncio.StreamWriter, pause_s: float) -> None:
    while True:
        writer.write(100 * ALIVE)
        await writer.drain()
        await asyncio.sleep(pause_s)


class TestSlowClients:
    async def test_are_told_when_the_body_does_not_come(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, body_timeout_s=0.2))
        [answer] = await service.send(POST + b"Content-Length: 2\r\n\r\n{", path=MUTE)
        assert answer.told == (408, "REQUEST_TIMEOUT")

    @pytest.mark.parametrize(("body_s", "request_s"), [(0.2, 3600), (3600, 0.2)])
    async def test_are_told_when_the_first_of_two_times_is_over(
        self, serve: Serve, body_s: float, request_s: float
    ) -> None:
        limits = Limits(leaving_s=0, body_timeout_s=body_s, request_timeout_s=request_s)
        service = await serve(limits=limits)
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(POST + b"Content-Length: 2\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()

    @pytest.mark.parametrize("sent", [b"", b"G", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
    async def test_are_cut_off_when_the_headers_do_not_come(
        self, serve: Serve, sent: bytes
    ) -> None:
        service = await serve(limits=Limits(leaving_s=0, headers_timeout_s=0.2))
        assert await service.send(sent) == []

    async def test_are_cut_off_when_later_headers_do_not_come(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, headers_timeout_s=0.2))
        answers = await service.send(ALIVE, b"GET /livez", path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200]

    async def test_are_cut_off_when_they_ask_for_another_protocol(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, headers_timeout_s=0.2))
        upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        answers = await service.send(upgrade + NEXT, path="/", method="GET")
        assert [answer.status for answer in answers] == [200]

    async def test_are_cut_off_when_idle(self, serve: Serve) -> None:
        service = await serve(limits=Limits(leaving_s=0, idle_timeout_s=0.2))
        assert await service.send() == []
        answers = await service.send(ALIVE, path="/livez", method="GET")
        assert [answer.status for answer in answers] == [200]

    @pytest.mark.parametrize("pause_s", [0.0, 0.02], ids=["at once", "little by little"])
    async def test_are_cut_off_when_they_take_in_no_answers(
        self, serve: Serve, pause_s: float
    ) -> None:
        limits = Limits(leaving_s=0, body_timeout_s=0.2, idle_timeout_s=0.1)
        service = await serve(limits=limits)
        _, writer = await asyncio.open_connection(service.url.host, service.url.port, limit=1)
        with pytest.raises(ConnectionError):
            await ask_without_end(writer, pause_s)
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
    async def test_may_take_their_time_between_requests(
        self, serve: Serve, parts: list[bytes]
    ) -> None:
        service = await serve(limits=Limits(leaving_s=0, headers_timeout_s=0.2))
        reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
        for _ in range(2):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.02)
            assert b"HTTP/1.1 " in await reader.readuntil(b"}")
            await asyncio.sleep(0.3)
        writer.close()
        await writer.wait_closed()


class TestClientsThatGoAway:
    @pytest.mark.parametrize("last", [b"", b"S3\r\n"], ids=["leaves", "breaks off"])
    async def test_after_their_answer_are_no_fault(
        self, service: Service, caplog: pytest.LogCaptureFixture, last: bytes
    ) -> None:
        """The rest of the body is still being read, so as not to reset the connection."""
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

    async def test_leave_a_line_in_the_log_and_no_fault(self, service: Service) -> None:
        _, writer = await asyncio.open_connection(service.url.host, service.url.port)
        writer.write(POST + b"Content-Length: 2\r\n\r\n{")
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)
        [event] = service.events
        assert (event["code"], event["reason"]) == ("INVALID_REQUEST", "the client broke off")
        assert (await service.mute()).status == 200
