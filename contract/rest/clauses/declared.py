"""R3: how a body is declared, how large it may be, and how long it may take."""

import json

from contract.rest.answer import Answer
from contract.rest.endpoint import JSON, MUTE, Endpoint

_LARGEST = 16 * 1024


def requires_a_type(rest: Endpoint) -> None:
    """R3.1 A body without Content-Type is answered with 415."""
    rest.post(_body(rest), kind=None).expect_status(415)


def rejects_other_types(rest: Endpoint) -> None:
    """R3.2 A Content-Type other than JSON's is answered with 415."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"):
        rest.post(_body(rest), kind=f"Content-Type: {kind}").expect_status(415)


def rejects_other_charsets(rest: Endpoint) -> None:
    """R3.3 A charset other than utf-8 is answered with 415."""
    for charset in ("latin-1", "utf-16", '"utf-7"'):
        rest.post(_body(rest), kind=f"{JSON}; charset={charset}").expect_status(415)


def rejects_encoded_bodies(rest: Endpoint) -> None:
    """R3.4 A body with a Content-Encoding is answered with 415."""
    for coding in ("gzip", "identity"):
        rest.post(_body(rest), f"Content-Encoding: {coding}").expect_status(415)


def accepts_types_of_json(rest: Endpoint) -> None:
    """R3.5 A Content-Type of application/...+json is valid, too, and so is charset=utf-8."""
    for kind in (
        f'{JSON}; charset="UTF-8"',
        "Content-Type: Application/vnd.api+json;charset=utf-8",
    ):
        rest.post(_body(rest), kind=kind).expect_status(200)


def tells_the_code_of_types(rest: Endpoint) -> None:
    """R3.6 The code for a body of another type or encoding is UNSUPPORTED_MEDIA_TYPE."""
    rest.post(_body(rest), kind="Content-Type: text/plain").expect_code("UNSUPPORTED_MEDIA_TYPE")


def rejects_large_bodies(rest: Endpoint) -> None:
    """R3.7 A body of more than 16 KiB is answered with 413."""
    rest.post(_padded(_body(rest), _LARGEST + 1)).expect_status(413)


def rejects_large_chunked_bodies(rest: Endpoint) -> None:
    """R3.8 A chunked body of more than 16 KiB is answered with 413."""
    body = _padded(_body(rest), _LARGEST + 1)
    _chunked(rest, body).expect_status(413)


def rejects_before_reading(rest: Endpoint) -> None:
    """R3.9 A body whose Content-Length is over 16 KiB is answered with 413 before it is sent."""
    lines = (rest.tenant.bearer, JSON, f"Content-Length: {_LARGEST + 1}")
    rest.send(rest.request("POST", MUTE, *lines)).expect_status(413)


def accepts_bodies_up_to_the_limit(rest: Endpoint) -> None:
    """R3.10 A body of 16 KiB is not too large."""
    rest.post(_padded(_body(rest), _LARGEST)).expect_status(200)


def tells_the_code_of_sizes(rest: Endpoint) -> None:
    """R3.11 The code for a body that is too large is PAYLOAD_TOO_LARGE."""
    rest.post(_padded(_body(rest), _LARGEST + 1)).expect_code("PAYLOAD_TOO_LARGE")


def accepts_chunks(rest: Endpoint) -> None:
    """R3.12 A body may be sent in chunks."""
    _chunked(rest, _body(rest)).expect_status(200)


def continues(rest: Endpoint) -> None:
    """R3.13 A client that expects 100-continue is sent it, and then the answer to its body."""
    body = _body(rest)
    lines = (rest.tenant.bearer, JSON, "Expect: 100-continue", f"Content-Length: {len(body)}")
    request = rest.request("POST", MUTE, *lines)
    with rest.connect(request) as connection:
        connection.send(request)
        connection.read_continue(rest.show(request))
        connection.send(body)
        connection.read(rest.show(request + body)).expect_status(200)


def bounds_the_time_of_bodies(rest: Endpoint) -> None:
    """R3.14 A body that is not complete in time is answered with 408."""
    rest.slow_body.expect_status(408)


def tells_the_code_of_times(rest: Endpoint) -> None:
    """R3.15 The code for a body that is not complete in time is REQUEST_TIMEOUT."""
    rest.slow_body.expect_code("REQUEST_TIMEOUT")


def bounds_the_time_of_headers(rest: Endpoint) -> None:
    """R3.16 A connection on which a request's headers do not arrive in time is closed."""
    request, end = rest.request("GET", "/livez")[:-2], b"\r\n"
    with rest.connect(request) as connection:
        connection.send(request)
        connection.send(end)
        connection.read(f"{rest.show(request)} (in two parts)")
    with rest.connect(request) as connection:
        connection.send(request)
        connection.read_until_closed(f"{rest.show(request)} (without its end)", patience=3.0)


def _body(rest: Endpoint) -> bytes:
    return json.dumps(rest.livekit.publish_in(rest.tenant.id).request()).encode()


def _padded(body: bytes, size: int) -> bytes:
    return body + b" " * (size - len(body))


def _chunked(rest: Endpoint, body: bytes) -> Answer:
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    lines = (rest.tenant.bearer, JSON, "Transfer-Encoding: chunked")
    return rest.send(rest.request("POST", MUTE, *lines) + chunks + b"0\r\n\r\n")
