"""Odd requests as bytes, by the code of their response and by what becomes of the next request.

Their forms are those that RFC 9112 discusses and that request smuggling uses. Each contains
``SECRET``, which must not be repeated; mutes are for a room that does not exist. The texts are
latin-1.
"""

import json
from collections.abc import Mapping

from tests.entrypoints.http.conftest import DEMO_TOKEN
from tests.support.service import DEMO_REQUEST, MUTE

SECRET = "s3cr3t-4f1d"
HOST = f"Host: x\r\nX-Note: {SECRET}"
AUTHORIZATION = f"Authorization: Bearer {DEMO_TOKEN}"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
CLOSE = "Connection: close"
BODY = json.dumps({**DEMO_REQUEST, "room_name": "elsewhere", "note": SECRET})
BODY_SIZE = f"Content-Length: {len(BODY)}"

Requests = Mapping[str, str]


def post(*lines: str, body: str = "", host: str = HOST, line: str = f"POST {MUTE} HTTP/1.1") -> str:
    """Write a mute request with a valid token."""
    return "\r\n".join([line, host, AUTHORIZATION, JSON, *lines, "", body])


def sized(*lines: str, body: str = BODY, host: str = HOST, to: str = MUTE) -> str:
    """Write a mute request with a correct Content-Length."""
    size = f"Content-Length: {len(body)}"
    return post(size, *lines, body=body, host=host, line=f"POST {to} HTTP/1.1")


def get(target: str = "/livez", *lines: str, version: str = "HTTP/1.1", method: str = "GET") -> str:
    return "\r\n".join([f"{method} {target} {version}", HOST, *lines, "", ""])


def chunks(*, size: str = f"{len(BODY):x}", last: str = "0") -> str:
    return f"{size}\r\n{BODY}\r\n{last}\r\n\r\n"


SMUGGLED = sized(CLOSE)
"""A request that a careless server finds in the body of another."""
SMUGGLED_SIZE = f"Content-Length: {len(SMUGGLED)}"
HIDDEN = chunks() + SMUGGLED
"""A chunked body, followed by that request if it is read as chunked."""
HIDDEN_SIZE = f"Content-Length: {len(HIDDEN)}"
GOOD = sized(CLOSE, body=json.dumps(DEMO_REQUEST)).replace(SECRET, "x")

_EXECUTED = {
    "HTTP/1.0 kept alive": sized("Connection: keep-alive").replace("1.1", "1.0"),
    "a connection's own headers": sized("Connection: content-length, authorization, host"),
    "absolute form": sized(to=f"http://{SECRET}{MUTE}"),
    "absolute form of https": sized(to=f"https://x:1{MUTE}"),
    "absolute form with a password": sized(to=f"http://{SECRET}:{SECRET}@x{MUTE}"),
    "absolute form in capitals": sized(to=f"HTTP://X{MUTE}"),
    "an encoded letter in the path": sized(to="/%6civekit/participant/mute"),
    "a fragment": sized(to=f"{MUTE}#{SECRET}"),
    "a query": sized(to=f"{MUTE}?{SECRET}"),
    "a meaningless query": sized(to=f"{MUTE}???%zz=%ff&&=&{SECRET}"),
    "a query of 3,000 parameters": sized(to=f"{MUTE}?{'&a' * 3000}"),
    "another token in the query": sized(to=f"{MUTE}?api_key={SECRET}"),
    "another method in a header": sized("X-HTTP-Method-Override: GET"),
    "an empty host": sized(host=f"Host:\r\nX: {SECRET}"),
    "a length with zeros": post(f"Content-Length: 000{len(BODY)}", body=BODY),
    "a length with spaces around it": post(f"Content-Length:   {len(BODY)}  ", body=BODY),
    "a length with an underscore": sized("Content_Length: 5"),
    "a coding with an underscore": sized("Transfer_Encoding: chunked"),
    "TE": sized("TE: trailers, chunked"),
    "an empty header": sized("X:"),
    "a header of latin-1": sized("X: \xe9\xff"),
    "a header of 7,700 bytes": sized(f"X: {SECRET * 700}"),
    "a hundred headers": sized(*[f"X-{n}: {SECRET}" for n in range(100)]),
    "a header a hundred times": sized(*[f"X: {SECRET}"] * 100),
    "headers named like JavaScript attributes": sized("__proto__: x", "constructor: y"),
    "a template": sized("User-Agent: ${x}{{x}}%s{0}" + SECRET),
    "an encoded line break": sized("Origin: x%0d%0aSet-Cookie:%20x=1"),
    "meaningless cookies": sized(f"Cookie: {SECRET}; ;;=", "Cookie: $Version=1"),
    "conditions and ranges": sized(f"Range: bytes={SECRET}", "If-None-Match: *"),
    "a request id with a space": sized(f"X-Request-ID: {SECRET} x"),
    "an upgrade without its connection": sized("Upgrade: h2c"),
    "an upgrade and keep-alive": sized("Connection: keep-alive", "Upgrade: websocket"),
    "an expectation twice": sized("Expect: 100-continue", "Expect: 100-CONTINUE"),
}

_PATHS = {
    "two slashes": f"/{MUTE}",
    "a trailing slash": f"{MUTE}/",
    "encoded slashes": "/livekit%2fparticipant%2fmute",
    "a path in upper case": MUTE.upper(),
    "a host in the path": "//x/livez",
    "dot segments": f"/x/..{MUTE}",
    "path traversal": "/../../../../etc/passwd",
    "path traversal, encoded": "/%2e%2e/%2e%2e/etc/passwd",
    "path traversal, encoded twice": "/%252e%252e%252flivez",
    "path traversal with backslashes": "/..\\..%5clivez",
    "a dot in the path": "/./livez",
    "an encoded NUL": "/livez%00",
    "an encoded line break in the path": "/livez%0d%0aX:%20x",
    "an encoded space": "/livez%20",
    "invalid percent-encoding": "/%zz%u002e%",
    "invalid UTF-8": "/%ff%fe",
    "a surrogate": "/%ed%a0%80",
    "a parameter in the path": f"{MUTE};{SECRET}",
    "another scheme": "gopher://x/nowhere",
    "a host without a path": "http://x",
}

_UNKNOWN_PATHS = {what: sized(to=to) for what, to in _PATHS.items()} | {
    "OPTIONS *": get("*", method="OPTIONS"),
}

_OTHER_METHODS = {
    "TRACE": get(MUTE, method="TRACE"),
    "DELETE": get(MUTE, method="DELETE"),
    "PROPFIND": get(MUTE, method="PROPFIND"),
    "PURGE": get(MUTE, method="PURGE"),
    "GET with a mute's body": get(MUTE, BODY_SIZE) + BODY,
    "OPTIONS with a request in its body": get(MUTE, SMUGGLED_SIZE, method="OPTIONS") + SMUGGLED,
}

_HARMLESS = {
    "leading empty lines": "\r\n" * 20 + get(),
    "two spaces before the target": get(" /livez"),
    "two spaces after the target": get("/livez "),
    "GET with a body": get("/livez", SMUGGLED_SIZE) + SMUGGLED,
    "another path in a header": get("/livez", f"X-Original-URL: {MUTE}", f"X-Rewrite-URL: {MUTE}"),
    "a proxy's headers": get("/livez", "X-Forwarded-For: 127.0.0.1", f"Forwarded: host={SECRET}"),
    "a websocket": get("/livez", "Connection: Upgrade", "Upgrade: websocket"),
}

_REJECTED_TOKENS = {
    "another token": sized().replace(DEMO_TOKEN, SECRET),
    "another scheme of authorization": sized().replace("Bearer", "Basic"),
    "two tokens in a line": sized().replace(DEMO_TOKEN, f"{DEMO_TOKEN}, Bearer {SECRET}"),
    "a token that ends in latin-1": sized().replace(DEMO_TOKEN, f"{DEMO_TOKEN}\xe9"),
    "a token of 5,500 bytes": sized().replace(DEMO_TOKEN, SECRET * 500),
    "a token after two spaces": sized().replace("Bearer ", "Bearer  "),
    "a token after a tab": sized().replace("Bearer ", "Bearer\t"),
    "no token": sized().replace(AUTHORIZATION, f"X: {SECRET}"),
}

_KINDS = {
    what: sized().replace(JSON, kind)
    for what, kind in {
        "plain text": "Content-Type: text/plain",
        "a form": f"Content-Type: multipart/form-data; boundary={SECRET}",
        "UTF-16": f"{JSON}; charset=utf-16",
        "UTF-7": f"{JSON}; charset=utf-7",
        "an unknown charset": f"{JSON}; charset={SECRET}",
        "an encoded charset": f"{JSON}; charset*=utf-8''{SECRET}",
        "an open quote": f'{JSON}; charset="utf-8',
        "two media types in a line": f"{JSON}, text/{SECRET}",
        "a media type in latin-1": f"{JSON}\xe9",
        "no media type": f"X: {SECRET}",
        "gzip": f"{JSON}\r\nContent-Encoding: gzip",
        "gzip in gzip": f"{JSON}\r\nContent-Encoding: gzip, gzip, br",
        "identity": f"{JSON}\r\nContent-Encoding: identity",
        "an unknown encoding": f"{JSON}\r\nContent-Encoding: {SECRET}",
    }.items()
}

_INVALID = {
    "a token twice": sized(AUTHORIZATION),
    "two tokens": sized(f"Authorization: Bearer {SECRET}"),
    "a token twice in the query": sized(to=f"{MUTE}?api_key={DEMO_TOKEN}&api%5fkey={SECRET}"),
    "a request as a body": sized(body=SMUGGLED),
    "no length": post(),
}

KEEP_ALIVE: Mapping[str, Requests] = {
    "ROOM_NOT_FOUND": _EXECUTED,
    "NOT_FOUND": _UNKNOWN_PATHS,
    "METHOD_NOT_ALLOWED": _OTHER_METHODS,
    "OK": _HARMLESS,
    "UNAUTHORIZED": _REJECTED_TOKENS,
    "UNSUPPORTED_MEDIA_TYPE": _KINDS,
    "INVALID_REQUEST": _INVALID,
}
"""By the code of their response; the request behind them is answered, too."""

_TOO_LARGE = {
    "a length of 16,385": post("Content-Length: 16385", body=(SECRET * 1500)[:16385]),
    "a length of 2**40": post(f"Content-Length: {2**40}", body=BODY),
    "a chunk of 2**40": post(CHUNKED, body=f"{2**40:x}\r\n{SECRET * 1500}"),
}

_ONE_BYTE_CHUNKS = "".join(f"1\r\n{letter}\r\n" for letter in BODY)
_CLOSING = {
    "chunks": post(CHUNKED, body=chunks()),
    "a chunk's extension": post(CHUNKED, body=chunks(size=f"{len(BODY):x};x={SECRET}")),
    "a chunk's extension in quotes": post(CHUNKED, body=chunks(size=f'{len(BODY):x};x="{SECRET}"')),
    "a chunk size with zeros": post(CHUNKED, body=chunks(size=f"{len(BODY):024X}", last="000")),
    "one-byte chunks": post(CHUNKED, body=f"{_ONE_BYTE_CHUNKS}0\r\n\r\n"),
    "a coding in upper case": post(CHUNKED.upper(), body=chunks()),
    "an upgrade to HTTP/2": sized("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"),
    "an upgrade to an unknown protocol": sized("Connection: upgrade", f"Upgrade: {SECRET}"),
    "two upgrades": sized("Connection: upgrade", "Upgrade: h2c", "Upgrade: websocket"),
}

CLOSING: Mapping[str, Requests] = {
    "ROOM_NOT_FOUND": _CLOSING,
    "PAYLOAD_TOO_LARGE": _TOO_LARGE,
    "NOT_FOUND": {
        "CONNECT": get("x:80", method="CONNECT"),
        "CONNECT without a port": get("/livez", method="CONNECT"),
    },
    "OK": {
        "GET with a request in its chunks": get("/livez", CHUNKED)
        + f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n",
        "an upgrade to TLS": get("/livez", "Connection: upgrade", "Upgrade: TLS/1.0"),
    },
}
"""By the code of their response, which closes the connection."""

INCOMPLETE: Mapping[str, Requests] = {
    "": {
        "half a request line": f"POST {MUTE}",
        "half of the headers": post(BODY_SIZE)[:-2],
    },
    "REQUEST_TIMEOUT": {
        "a length that is too long": post(f"Content-Length: {len(BODY) + 50}", body=BODY),
        "a body that waits for 100 Continue": post("Expect: 100-continue", "Content-Length: 9999"),
        "half a chunk": post(CHUNKED, body="5\r\n{}"),
        "half a chunk size": post(CHUNKED, body="ff"),
        "no end of chunks": post(CHUNKED, body="2\r\n{}\r\n0\r\n"),
    },
}
"""By the code of their response, if any; what follows is taken for a part of them."""
