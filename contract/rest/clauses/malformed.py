"""R10: malformed HTTP, and connections."""

import json

from contract.rest.answer import Answer
from contract.rest.endpoint import JSON, MUTE, Endpoint

_LONGEST_LINE = 8190
_MOST_HEADERS = 128


def requires_a_host(rest: Endpoint) -> None:
    """R10.1 A request of HTTP/1.1 without Host, or with two, is answered with 400."""
    rest.send(b"GET /livez HTTP/1.1\r\nX: x\r\n\r\n").expect_status(400)
    rest.send(rest.written(_get(rest), "Host: other")).expect_status(400)


def bounds_lines(rest: Endpoint) -> None:
    """R10.2 A request line or a header of more than 8,190 bytes is answered with 400."""
    long = "x" * (_LONGEST_LINE + 1)
    rest.send(rest.written(rest.first_line("GET", f"/{long}"))).expect_status(400)
    rest.send(rest.written(_get(rest), f"X: {long}")).expect_status(400)


def bounds_headers(rest: Endpoint) -> None:
    """R10.3 A request with more than 128 headers is answered with 400."""
    lines = [f"X-{number}: x" for number in range(_MOST_HEADERS + 1)]
    rest.send(rest.written(_get(rest), *lines)).expect_status(400)


def knows_no_other_expectation(rest: Endpoint) -> None:
    """R10.4 An Expect other than 100-continue is answered with 400."""
    rest.send(rest.written(_get(rest), "Expect: 200-ok")).expect_status(400)


def rejects_malformed_lines(rest: Endpoint) -> None:
    """R10.5 A request line or a header that is not well-formed is answered with 400."""
    for first in ("GET /livez", "GET /livez HTTP/one", "G=T /livez HTTP/1.1", "GET livez HTTP/1.1"):
        rest.send(rest.written(first)).expect_status(400)
    for line in ("No colon", "X : x", "X: a\0b", ": x"):
        rest.send(rest.written(_get(rest), line)).expect_status(400)


def rejects_two_framings(rest: Endpoint) -> None:
    """R10.6 A body with both Content-Length and Transfer-Encoding is answered with 400."""
    chunked = "Transfer-Encoding: chunked"
    for lines in (("Content-Length: 4", chunked), (chunked, "Content-Length: 4")):
        _post(rest, *lines, body=b"0\r\n\r\n").expect_status(400)


def rejects_two_lengths(rest: Endpoint) -> None:
    """R10.7 Two Content-Length headers, or one that is not a number, are answered with 400."""
    for second in (2, 3):
        lines = ("Content-Length: 2", f"Content-Length: {second}")
        _post(rest, *lines, body=b"{} "[:second]).expect_status(400)
    for length in ("+2", "-1", "0x2", "2, 2", "two"):
        _post(rest, f"Content-Length: {length}", body=b"{}").expect_status(400)


def rejects_malformed_chunks(rest: Endpoint) -> None:
    """R10.8 A body whose chunks are malformed is answered with 400."""
    for chunks in (b"x\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}}\r\n0\r\n\r\n"):
        _post(rest, "Transfer-Encoding: chunked", body=chunks).expect_status(400)


def rejects_other_codings(rest: Endpoint) -> None:
    """R10.9 A Transfer-Encoding other than chunked is answered with 400."""
    for coding in ("gzip, chunked", "chunked, identity", "x"):
        _post(rest, f"Transfer-Encoding: {coding}", body=b"0\r\n\r\n").expect_status(400)


def tells_its_code(rest: Endpoint) -> None:
    """R10.10 The code for malformed HTTP is INVALID_REQUEST."""
    rest.send(b"GET /livez HTTP/1.1\r\nX: x\r\n\r\n").expect_code("INVALID_REQUEST")
    rest.send(rest.written(_get(rest), "No colon")).expect_code("INVALID_REQUEST")


def closes_after_malformed(rest: Endpoint) -> None:
    """R10.11 After malformed HTTP the connection is closed, and what follows is not answered."""
    request = rest.written(_get(rest), "No colon") + rest.request("GET", "/livez")
    with rest.connect(request) as connection:
        connection.send(request)
        answer = connection.read(rest.show(request))
        more = connection.read_until_closed(rest.show(request))
    answer.expect(not more, "nothing after the first answer", f"{answer}, then {more[:80]!r}")


def keeps_connections(rest: Endpoint) -> None:
    """R10.12 A connection serves one request after another, also after an error."""
    requests = [rest.request("GET", path) for path in ("/livez", "/nowhere", "/livez")]
    with rest.connect(requests[0]) as connection:
        for request in requests:
            connection.send(request)
            connection.read(rest.show(request))


def answers_in_order(rest: Endpoint) -> None:
    """R10.13 Requests that are sent at once on one connection are answered in their order."""
    place = rest.livekit.publish_in(rest.tenant.id)
    body = json.dumps(place.request()).encode()
    mute = rest.request("POST", MUTE, rest.tenant.bearer, JSON, body=body)
    requests = [mute, rest.request("GET", "/nowhere"), mute]
    alone = [rest.send(each) for each in requests]
    alone[1].require(alone[0].status != alone[1].status, "another status than that of a mute")
    with rest.connect(mute) as connection:
        connection.send(b"".join(requests))
        answers = [connection.read(f"{rest.show(each)} (of three)") for each in requests]
    wanted, found = ([each.status for each in some] for some in (alone, answers))
    answers[0].expect(found == wanted, f"the statuses {wanted}", f"the statuses {found}")


def _get(rest: Endpoint) -> str:
    return rest.first_line("GET", "/livez")


def _post(rest: Endpoint, *lines: str, body: bytes) -> Answer:
    return rest.send(rest.request("POST", MUTE, rest.tenant.bearer, JSON, *lines) + body)
