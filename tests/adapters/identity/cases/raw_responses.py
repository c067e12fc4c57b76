"""Responses of an authentication service as bytes, by how the client has to treat them."""

import gzip
from collections.abc import Mapping

from tests.adapters.identity.cases.authentication_service import GOOD
from tests.adapters.identity.cases.response_bodies import padded

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PLAIN = OK + b"Content-Length: 18\r\n"
LOCATION = "Location: /good\r\n"
GZIPPED = gzip.compress(GOOD)
GZIP = "Content-Encoding: gzip\r\n"


def http(body: bytes = GOOD, status: str = "200 OK", more: str = "") -> bytes:
    length = "" if status[:3] in ("101", "204", "304") else f"Content-Length: {len(body)}\r\n"
    kind = "" if "content-type" in more.lower() else "Content-Type: application/json\r\n"
    return f"HTTP/1.1 {status}\r\nConnection: close\r\n{length}{kind}{more}\r\n".encode() + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks) + end


OTHER_STATUSES = (
    *(201, 202, 203, 205, 206, 207, 226, 299, 300, 301, 302, 303, 305, 307, 308),
    *(400, 402, 404, 405, 407, 408, 409, 410, 418, 421, 429, 451, 499),
    *(500, 501, 502, 503, 504, 511, 520, 599, 600, 999),
)
VALID: Mapping[str, bytes] = {
    "in chunks": chunked(GOOD[:3], GOOD[3:]),
    "in chunks of a byte": chunked(*(bytes([each]) for each in GOOD)),
    "in chunks with extensions and a trailer": CHUNKED
    + b"12;s3cret=1\r\n"
    + GOOD
    + b"\r\n0\r\nX: y\r\n\r\n",
    "until the connection closes": OK + b"\r\n" + GOOD,
    "in HTTP/1.0": PLAIN.replace(b"/1.1", b"/1.0") + b"\r\n" + GOOD,
    "with another reason phrase": http(status="200 Unauthorized"),
    "without a reason phrase": http().replace(b" OK", b""),
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" + http(),
    "after 103 Early Hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + http(),
    "as HTML": http(more="Content-Type: text/html\r\n"),
    "declared as Latin-1": http(more="Content-Type: application/json; charset=latin-1\r\n"),
    "declared as an unknown charset": http(
        more="Content-Type: application/json; charset=s3cret\r\n"
    ),
    "with an empty content type": http(more="Content-Type:\r\n"),
    "with a location": http(more=LOCATION),
    "with a cookie": http(more="Set-Cookie: s3cret=s3cret\r\n"),
    "with a challenge": http(more="WWW-Authenticate: Bearer s3cret\r\n"),
    "with a secret": http(more="X-S3cret: s3cret\r\n"),
}
INVALID: Mapping[str, bytes] = {
    "HTTP/0.9": GOOD,
    "garbage": b"s3cret\r\n\r\n",
    "another protocol": b"SSH-2.0-s3cret\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "ICY": http().replace(b"HTTP/1.1", b"ICY"),
    "a status of four digits": http(status="2000 OK"),
    "a signed status": http(status="+200 OK"),
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
    "a control character in a header": http(more="X: a\0b\r\n"),
    "a longer length": http().replace(b"Length: 18", b"Length: 19"),
    "a length without a body": PLAIN + b"\r\n",
    "a length of zero": http().replace(b"Length: 18", b"Length: 0"),
    "a length of two": http(b"{}" + GOOD).replace(b"Length: 20", b"Length: 2"),
    "a negative length": http().replace(b"Length: 18", b"Length: -18"),
    "a length with a sign": http(b"").replace(b"Length: 0", b"Length: +0"),
    "a length that is not a number": http().replace(b"Length: 18", b"Length: s3cret"),
    "an empty length": http(b"").replace(b"Length: 0", b"Length: "),
    "two lengths": http(more="Content-Length: 0\r\n"),
    "a length and chunks": PLAIN + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no length and no body": OK + b"\r\n",
    "no length in HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    "no length, and an incomplete body": OK + b"\r\n" + GOOD[:-1],
    "no chunk": CHUNKED,
    "no last chunk": chunked(GOOD, end=b""),
    "no end after the last chunk": chunked(GOOD, end=b"0\r\n"),
    "no end after an empty body": chunked(end=b"0\r\n"),
    "an incomplete chunk": CHUNKED + b"12\r\n" + GOOD[:-3],
    "a chunk too long": CHUNKED + b"5\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "a chunk of negative size": CHUNKED + b"-12\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "a chunk size that is not a number": CHUNKED + b"s3cret\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "a huge chunk size": CHUNKED + b"f" * 30 + b"\r\n" + GOOD,
    "a long header": OK + b"X: " + b"a" * 100_000,
    "many headers": OK + 1000 * b"X: a\r\n" + b"\r\n" + GOOD,
    "a long reason phrase": b"HTTP/1.1 200 " + b"a" * 100_000,
    "4,097 bytes in chunks": chunked(*[b" " * 100] * 40, padded(97)),
    "1 MiB without a length": OK + b"\r\n" + padded(1 << 20),
    "compressed": http(GZIPPED, more=GZIP),
    "compressed and not declared so": http(GZIPPED),
    "compressed and large": http(gzip.compress(padded(1 << 20)), more=GZIP),
    "switched protocols": http(b"", "101 Switching", "Connection: upgrade\r\nUpgrade: x\r\n"),
    "no content": http(b"", "204 No Content"),
    "not modified": http(b"", "304 Not Modified"),
    "no content, with a body": http(GOOD, "204 No Content"),
    "no content, with a length": http(b"", "204 No Content", "Content-Length: 0\r\n"),
    "an empty reset": http(b"", "205 Reset Content"),
    "an empty partial": http(b"", "206 Partial Content"),
    "an empty created": http(b"", "201 Created"),
    "an empty failure": http(b"", "500 Internal Server Error"),
    "an error page of a proxy": http(b"<html>s3cret</html>", "502 Bad Gateway"),
    "a redirect without a location": http(b"", "302 Found"),
    "a redirect to an invalid URL": http(b"", "302 Found", "Location: http://[s3cret\r\n"),
}
REFUSALS: Mapping[str, bytes] = {
    "401": http(b'{"error": "s3cret"}', "401 Unauthorized"),
    "403": http(b'{"error": "s3cret"}', "403 Forbidden"),
    "401 without a body": http(b"", "401 Unauthorized"),
    "403 without a body": http(b"", "403 Forbidden"),
    "401 with an id": http(GOOD, "401 Unauthorized"),
    "403 with an id": http(GOOD, "403 Forbidden"),
    "401 with a location": http(b"", "401 Unauthorized", LOCATION),
    "401 as HTML": http(b"<html>s3cret</html>", "401 s3cret", "Content-Type: text/html\r\n"),
    "403, compressed": http(GZIPPED, "403 Forbidden", GZIP),
    "401 of 1 MiB": http(padded(1 << 20), "401 Unauthorized"),
    "401, incomplete": http(b"s3cret", "401 Unauthorized")[:-3],
    "403 without a length": b"HTTP/1.1 403 Forbidden\r\n\r\ns3cret",
}
EMPTY: Mapping[str, bytes] = {
    "in chunks": chunked(),
    "in chunks, in capitals": chunked().replace(b"chunked", b"CHUNKED"),
    "with its length in lower case": http(b"").replace(b"Content-Length", b"content-length"),
    "as HTML": http(b"", more="Content-Type: text/html\r\n"),
    "with an id in a header": http(b"", more="Id: tenant-a\r\n"),
}
UNKNOWN_LENGTH: Mapping[str, bytes] = {
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\n",
    "gzip": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "gzip around chunked": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "gzip in a line of its own": OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: x\r\n\r\n",
    "an empty coding": OK + b"Transfer-Encoding:\r\n\r\n",
    "a misspelt one": OK + b"Transfer-Encoding: chunkel\r\n\r\n",
}
"""Codings with which an empty body cannot be distinguished from an incomplete one."""

CHUNKED_AND_GZIP = OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n"
