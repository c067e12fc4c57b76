"""What is wrong with bytes that the parser rejects: a sentence that repeats none of them."""

import re
from collections.abc import Mapping

from entrypoints.http.server.aiohttp_internals import (
    BadHttpMessage,
    InvalidURLError,
    LineTooLong,
)

MAX_HEADERS = 128
MISSING_HOST = "the Host header is missing"

_MALFORMED = "the request is not well-formed HTTP/1.1"
_PROXY = (
    "the connection begins with a PROXY protocol header, which this service does not read:"
    " turn it off in the proxy or load balancer"
)
_OPENINGS: Mapping[bytes, str] = {
    b"\x16\x03": "this port speaks plain HTTP, and the client TLS: use http://, or a proxy that"
    " ends TLS",
    b"PROXY ": _PROXY,
    b"\r\n\r\n\0\r\nQUIT\n": _PROXY,
    b"PRI * HTTP/2.0": "this port speaks HTTP/1.1, and the client HTTP/2: make the client, or the"
    " proxy in front of this service, use HTTP/1.1",
    b"SSH-": "this port speaks HTTP, and the client SSH",
}
"""The first bytes of clients that do not speak plain HTTP/1.1, and what to say about them."""
OPENING_BYTES = max(map(len, _OPENINGS))

_TEXTS: Mapping[str, str] = {
    "Missing 'Host' header in request.": MISSING_HOST,
    "Too many headers received": f"there are more than {MAX_HEADERS} headers",
}
_DUPLICATE = re.compile(r"Duplicate '([A-Za-z-]+)' header found\.")
_REASON = re.compile(r"(?:Bad status line:\n  )?([^\n]+):\n\n  b")
"""How aiohttp begins an error of its C parser, whose reasons are constants."""


def describe(error: BaseException, opening: bytes) -> str:
    """Say in one sentence why the parser has rejected a request.

    ``opening`` is what the connection began with, at most ``OPENING_BYTES``.
    """
    for signature, text in _OPENINGS.items():
        if opening and opening[: len(signature)] == signature[: len(opening)]:
            return text
    if isinstance(error, LineTooLong):
        limit = error.args[1]
        return f"the request line or a header is longer than {limit} bytes (MAX_LINE_BYTES)"
    message = error.message if isinstance(error, BadHttpMessage) else ""
    if message in _TEXTS:
        return _TEXTS[message]
    if duplicate := _DUPLICATE.fullmatch(message):
        return f"the {duplicate[1]} header is given twice"
    if reason := _REASON.match(message):
        return f"{_MALFORMED}: {reason[1]}"
    invalid_target = isinstance(error, InvalidURLError | ValueError)  # yarl raises the latter
    return "the target of the request is invalid" if invalid_target else _MALFORMED
