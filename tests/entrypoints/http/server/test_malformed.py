"""The message of a 400 names what is wrong with the HTTP, and repeats nothing of it."""

from collections.abc import Mapping

import pytest

from tests.entrypoints.http.conftest import Serve, patient
from tests.entrypoints.http.server.test_connection import POST
from tests.robustness.failures import recorded
from tests.robustness.test_raw_http import exchange
from tests.support.service import Service, parse_answers

GET = b"GET /livez HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NOT_WELL_FORMED = "the request is not well-formed HTTP/1.1: "
LONG = "the request line or a header is longer than 300 bytes (MAX_LINE_BYTES)"
MANY = "there are more than 128 headers"
TLS = "this port speaks plain HTTP, and the client TLS: use http://, or a proxy that ends TLS"
PROXY = (
    "the connection begins with a PROXY protocol header, which this service does not read:"
    " turn it off in the proxy or load balancer"
)
HTTP_2 = (
    "this port speaks HTTP/1.1, and the client HTTP/2: make the client, or the proxy in front of"
    " this service, use HTTP/1.1"
)
VERSION = "the only supported versions are HTTP/1.0 and HTTP/1.1"
TARGET = "the target of the request is invalid"

LIMITS: Mapping[str, tuple[bytes, str]] = {
    "a long target": (b"GET /" + b"s3" * 200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", LONG),
    "a long query": (b"GET /?" + b"s3" * 200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", LONG),
    "a long header": (GET + HOST + b"X: " + b"s3" * 200 + b"\r\n\r\n", LONG),
    "a long name of a header": (GET + HOST + b"s3" * 200 + b": x\r\n\r\n", LONG),
    "a long token": (GET + HOST + b"Authorization: Bearer " + b"s3" * 200 + b"\r\n\r\n", LONG),
    "a long trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"s3" * 200 + b"\r\n\r\n", LONG),
    "many headers": (GET + HOST + b"X: s3\r\n" * 128 + b"\r\n", MANY),
    "many trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: s3\r\n" * 129 + b"\r\n", MANY),
}

PROTOCOLS: Mapping[str, tuple[bytes, str]] = {
    "TLS 1.0": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"s3" * 80, TLS),
    "TLS 1.2, by its record": (b"\x16\x03\x03\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"s3" * 80, TLS),
    "PROXY, version 1": (b"PROXY TCP4 192.0.2.1 192.0.2.2 53 80\r\n" + GET + HOST, PROXY),
    "PROXY, version 1, unknown": (b"PROXY UNKNOWN\r\n" + GET + HOST + b"\r\n", PROXY),
    "PROXY, version 2": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"s3" * 6 + GET, PROXY),
    "PROXY, version 2, local": (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0" + GET + HOST, PROXY),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", HTTP_2),
    "SSH": (b"SSH-2.0-s3\r\n", "this port speaks HTTP, and the client SSH"),
}

OTHERS: Mapping[str, tuple[bytes, str]] = {
    "no host": (GET + b"X: s3\r\n\r\n", "the Host header is missing"),
    "two hosts": (GET + HOST + HOST + b"\r\n", "the Host header is given twice"),
    "two media types": (
        POST + b"Content-Type: s3\r\nContent-Length: 0\r\n\r\n",
        "the Content-Type header is given twice",
    ),
    "an unknown method": (b"S3 / HTTP/1.1\r\n", f"{NOT_WELL_FORMED}Invalid method encountered"),
    "another version": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", VERSION),
    "no version": (b"GET /s3\r\n\r\n", VERSION),
    "an unknown version": (
        b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
        f"{NOT_WELL_FORMED}Invalid HTTP version",
    ),
    "a port out of range": (b"GET http://s3:99999/ HTTP/1.1\r\n" + HOST + b"\r\n", TARGET),
    "a target without a slash": (
        b"GET s3 HTTP/1.1\r\n" + HOST + b"\r\n",
        f"{NOT_WELL_FORMED}Unexpected char in url schema",
    ),
    "a line feed alone": (
        GET + b"Host: x\nX: s3\r\n\r\n",
        f"{NOT_WELL_FORMED}Missing expected CR after header value",
    ),
    "a NUL": (
        GET + HOST + b"X: s3\0\r\n\r\n",
        f"{NOT_WELL_FORMED}Invalid header value char",
    ),
    "a length that is no number": (
        POST + b"Content-Length: s3\r\n\r\n",
        f"{NOT_WELL_FORMED}Invalid character in Content-Length",
    ),
    "an invalid chunk": (
        CHUNKED + b"s3\r\n",
        f"{NOT_WELL_FORMED}Invalid character in chunk size",
    ),
}


@pytest.fixture
async def service(serve: Serve) -> Service:
    return await serve(limits=patient(max_line_bytes=300))


class TestMalformedHttp:
    @pytest.mark.parametrize(
        "kind", [LIMITS, PROTOCOLS, OTHERS], ids=["limits", "protocols", "others"]
    )
    async def test_is_named_in_the_response_and_in_the_log(
        self, service: Service, kind: Mapping[str, tuple[bytes, str]]
    ) -> None:
        failures: dict[str, str] = {}
        for what, (request, message) in kind.items():
            text = request.decode("latin-1")
            for cut in (0, 1, 3, text.find("\r\n\r\n") + 4):
                parts = [part for part in (text[:cut], text[cut:]) if part]
                with recorded(failures, what):
                    received = await exchange(service, parts, half_closes=False)
                    [answer] = parse_answers(received)
                    assert b"s3" not in received
                    assert answer.outcome == (400, "INVALID_REQUEST")
                    assert answer.json["error"] == message
                    assert service.events[-1]["reason"] == message
        assert failures == {}

    async def test_is_not_named_by_how_the_connection_began(self, service: Service) -> None:
        """A good request came first, so the client does speak HTTP."""
        good = GET + HOST + b"\r\n"
        proxy = b"PROXY UNKNOWN\r\n"
        _, answer = await service.send(good, proxy, path="/livez", method="GET")
        assert answer.json["error"] == f"{NOT_WELL_FORMED}Invalid method encountered"

    async def test_includes_no_128_headers(self, service: Service) -> None:
        head = GET + HOST + b"Connection: close\r\n" + b"X: x\r\n" * 126
        [answer] = await service.send(head + b"\r\n", path="/livez", method="GET")
        assert answer.status == 200
