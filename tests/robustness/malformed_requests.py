"""Malformed requests as bytes: each is rejected once, and what follows it is not read."""

from tests.robustness.raw_requests import (
    BODY,
    BODY_SIZE,
    CHUNKED,
    HIDDEN,
    HIDDEN_SIZE,
    SECRET,
    SMUGGLED,
    SMUGGLED_SIZE,
    Requests,
    get,
    post,
    sized,
)
from tests.support.service import MUTE

_LENGTHS_AND_CHUNKS = {
    "a length, then chunks": post(HIDDEN_SIZE, CHUNKED, body=HIDDEN),
    "chunks, then a length": post(CHUNKED, HIDDEN_SIZE, body=HIDDEN),
    "a short length and chunks": post("Content-Length: 4", CHUNKED, body=f"5c\r\n{SMUGGLED}"),
    "a length of 0 and chunks": post("Content-Length: 0", CHUNKED, body=HIDDEN),
    "chunks in HTTP/1.0": post(CHUNKED, body=HIDDEN, line=f"POST {MUTE} HTTP/1.0"),
    "an empty coding": get("/livez", "Transfer-Encoding:"),
    "identity and a length": post("Transfer-Encoding: identity", HIDDEN_SIZE, body=HIDDEN),
    "an unknown coding and a length": post("Transfer-Encoding: x", HIDDEN_SIZE, body=HIDDEN),
    "chunked twice": post(CHUNKED, CHUNKED, body=HIDDEN),
    "chunked after identity": post("Transfer-Encoding: identity", CHUNKED, body=HIDDEN),
}

_CODINGS = {
    f"coding {what}": post(line, body=HIDDEN)
    for what, line in {
        "after a space": "Transfer-Encoding : chunked",
        "after a tab": "Transfer-Encoding\t: chunked",
        "after a line feed": "X: x\nTransfer-Encoding: chunked",
        "after a carriage return": "X: x\rTransfer-Encoding: chunked",
        "after a vertical tab": "Transfer-Encoding: \x0bchunked",
        "before a tab": "Transfer-Encoding: chunked\t",
        "before a NUL": "Transfer-Encoding: chunked\0",
        "before a space of latin-1": "Transfer-Encoding: chunked\xa0",
        "in quotes": 'Transfer-Encoding: "chunked"',
        "with a parameter": f"Transfer-Encoding: chunked;x={SECRET}",
        "folded": "Transfer-Encoding:\r\n chunked",
        "twice": "Transfer-Encoding: chunked, chunked",
        "before identity": "Transfer-Encoding: chunked, identity",
        "after identity": "Transfer-Encoding: identity, chunked",
        "after gzip": "Transfer-Encoding: gzip, chunked",
        "after nothing": "Transfer-Encoding: , chunked",
        "before nothing": "Transfer-Encoding: chunked,",
    }.items()
}

_N = len(BODY)
_LENGTHS = {
    f"length of {length[:30]!r}": post(f"Content-Length:{length}", body=BODY)
    for length in (
        *(f" +{_N}", f" -{_N}", f" 0x{_N:x}", f" {_N}.0", f" {_N}e0", f" 0_{_N}", f" 0 {_N}"),
        *(f" {_N}, {_N}", f" 0, {_N}", f" {_N};x=5", f' "{_N}"', f" {_N}\0", f"\x0b{_N}"),
        *(f"\r\n {_N}", f" {_N}\r", f" \xd9\xa5{_N}", f" {SECRET}", f" {2**64 + _N}"),
        *(f" {2**64}", f" {2**128 + _N}", f" {'9' * 5000}"),
    )
} | {
    "an empty length": post("Content-Length:", body=SMUGGLED),
    "a length of minus 0": post("Content-Length: -0", body=SMUGGLED),
    "a length after a space": post("Content-Length : 0", body=SMUGGLED),
    "two lengths": post("Content-Length: 0", SMUGGLED_SIZE, body=SMUGGLED),
    "two lengths that agree": post(BODY_SIZE, BODY_SIZE, body=BODY),
}

_SIZE = f"{len(BODY):x}"
_ONE = f"{_SIZE}\r\n{BODY}\r\n"
_CHUNKS = {
    f"chunks: {what}": post(CHUNKED, body=chunks)
    for what, chunks in {
        "a size that is no number": f"{SECRET}\r\n{BODY}\r\n0\r\n\r\n",
        "a negative size": f"-{_ONE}0\r\n\r\n",
        "a signed size": f"+{_ONE}0\r\n\r\n",
        "a size with 0x": f"0x{_ONE}0\r\n\r\n",
        "a size with an underscore": f"0_{_ONE}0\r\n\r\n",
        "a size beyond 2**64": f"1{len(BODY):016x}\r\n{BODY}\r\n0\r\n\r\n",
        "no size": f"\r\n{_ONE}0\r\n\r\n",
        "a space before the size": f" {_ONE}0\r\n\r\n",
        "a space after the size": f"{_SIZE} \r\n{BODY}\r\n0\r\n\r\n",
        "a line feed after the size": f"{_SIZE}\n{BODY}\r\n0\r\n\r\n",
        "a carriage return after the size": f"{_SIZE}\r{BODY}\r\n0\r\n\r\n",
        "too long for its size": f"{_SIZE}\r\n{BODY}{SECRET}\r\n0\r\n\r\n",
        "a line feed after the chunk": f"{_SIZE}\r\n{BODY}\n0\r\n\r\n",
        "nothing after the chunk": f"{_SIZE}\r\n{BODY}0\r\n\r\n",
        "a line feed after the last size": f"{_ONE}0\n\r\n",
        "line feeds at the end": f"{_ONE}0\r\n\n",
        "no name of an extension": f"{_SIZE};;\r\n{BODY}\r\n0\r\n\r\n",
        "a line feed in an extension": f"{_SIZE};x={SECRET}\ny\r\n{BODY}\r\n0\r\n\r\n",
        "a NUL in an extension": f"{_SIZE};x=\0\r\n{BODY}\r\n0\r\n\r\n",
        "a trailer without a colon": f"{_ONE}0\r\n{SECRET}\r\n\r\n",
        "a trailer with a space before its colon": f"{_ONE}0\r\nX : {SECRET}\r\n\r\n",
        "a trailer with a line feed": f"{_ONE}0\r\nX: {SECRET}\n\r\n",
        "a trailer of 22 KB": f"{_ONE}0\r\nX: {SECRET * 2000}\r\n\r\n",
        "a trailer that is a length": f"{_ONE}0\r\n{HIDDEN_SIZE}\r\n\r\n",
        "a trailer that is a coding": f"{_ONE}0\r\n{CHUNKED}\r\n\r\n",
        "a request in a chunk": f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n",
    }.items()
}

_LINES = {
    "line feeds alone": sized().replace("\r\n", "\n"),
    "a line feed after the request line": sized().replace("1.1\r\n", "1.1\n"),
    "a line feed between headers": sized().replace("x\r\n", "x\n"),
    "carriage returns alone": sized().replace("\r\n", "\r"),
    "a target of 9,000 bytes": get(f"/{SECRET}{'x' * 9000}"),
    "a method of 9,900 bytes": get(method=SECRET * 900),
}

_HEADERS = {
    f"header {line[:20]!r}": sized(line)
    for line in (
        *(f"X: {SECRET}\rY: y", f"X: {SECRET}\0", f"X: \x01{SECRET}", f"X: \x7f{SECRET}"),
        *(f"X: \x1b[31m{SECRET}", f"X: {SECRET}\r\n y", f": {SECRET}", SECRET, f" X: {SECRET}"),
        *(f"X\0: {SECRET}", f"X : {SECRET}", f"X y: {SECRET}", f"X(y): {SECRET}"),
        *(f"X\xe9: {SECRET}", f"\xf0\x9f\x92\xa9: {SECRET}", f"{'x' * 9000}: {SECRET}"),
        f"X: {SECRET}{'x' * 9000}",
    )
}

_HOSTS = {
    "no host": sized(host=f"X: {SECRET}"),
    "no host, the first line folded": sized(host=f" X: {SECRET}\r\nHost: x"),
    "a host twice": sized("Host: x"),
    "two hosts": sized(f"Host: {SECRET}"),
} | {
    f"host {host!r}": sized(host=f"Host: {host}")
    for host in (
        *(f"{SECRET} x", f"x, {SECRET}", f"x/{SECRET}", f"{SECRET}@x", f"x:{SECRET}", "x:1:2"),
        *(f"x?{SECRET}", f"x#{SECRET}", f"x\\{SECRET}", "[::1", "[x]", "\xe9"),
    )
}

_TWICE = {
    "two media types": sized("Content-Type: text/plain"),
    "an unknown expectation": sized(f"Expect: {SECRET}"),
    "two expectations": sized("Expect: 100-continue", f"Expect: {SECRET}"),
}

_TARGETS = {
    f"target {target!r}": get(target)
    for target in (
        *(
            "",
            "*",
            "livez",
            "../livez",
            "x:80",
            "file:///etc/passwd",
            "\\livez",
            "?livez",
            "#livez",
        ),
        *(f"/livez {SECRET}", f"/livez\n{SECRET}", f"/livez\r{SECRET}", f"/livez\0{SECRET}"),
        *(f"/\x01{SECRET}", "/l\xefvez", "/\xff", "\t/livez", f"http://x:{SECRET}/livez"),
        *("http://x:99999/livez", "http://[::1/livez", "http://", "http:///livez"),
    )
}

_METHODS = {
    f"method {method!r}": get(method=method)
    for method in ("", "S3CR3T", "get", "Post", "GET\0", "GET\t", " GET", "G=T", "PRI", "\xe9")
}

_VERSIONS = {
    f"version {version!r}": get(version=version)
    for version in (
        *("HTTP/0.9", "HTTP/1.2", "HTTP/1.10", "HTTP/1.", "HTTP/1", "HTTP/01.1", "HTTP/-1.1"),
        *("HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/\xb9.1", "http/1.1", "HTTPS/1.1", "HTTP 1.1"),
        *("", "\t", "SIP/2.0", f"HTTP/1.1 {SECRET}", "HTTP/1.1\t"),
    )
} | {
    "no version": f"GET /livez?x={SECRET}\r\n\r\n",
}

_OTHER_PROTOCOLS = {
    "HTTP/2": f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{SECRET}",
    "PROXY": f"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n{sized()}",
    "PROXY in bytes": f"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c{'x' * 12}{sized()}",
    "TLS": f"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03{SECRET:x<40}",
    "SOCKS 5": f"\x05\x01\x00{SECRET}",
    "SOCKS 4": f"\x04\x01\x00\x50\x0a\x00\x00\x01{SECRET}\0",
    "SSH": f"SSH-2.0-{SECRET}\r\n",
    "SMTP": f"EHLO {SECRET}\r\n",
    "Redis": f"*1\r\n$11\r\n{SECRET}\r\n",
    "memcached": f"get {SECRET}\r\n",
    "an HTTP answer": f"HTTP/1.1 200 OK\r\nX: {SECRET}\r\n\r\n",
    "NULs": "\0" * 100 + SECRET,
    "binary data": "\xff\xfe\xfd\xfc" * 100 + SECRET,
    "a shell": f"echo {SECRET}\r\n\r\n",
}

MALFORMED: Requests = {
    **_LENGTHS_AND_CHUNKS,
    **_CODINGS,
    **_LENGTHS,
    **_CHUNKS,
    **_LINES,
    **_HEADERS,
    **_HOSTS,
    **_TWICE,
    **_TARGETS,
    **_METHODS,
    **_VERSIONS,
    **_OTHER_PROTOCOLS,
}

FLOODS: Requests = {
    "a megabyte of header": sized(f"X: {SECRET}{'x' * 2**20}"),
    "thousands of headers": sized(*[f"X-{n}: {SECRET}" for n in range(20_000)]),
    "thousands of trailers": post(CHUNKED, body=f"{_ONE}0\r\n" + f"X: {SECRET}\r\n" * 20_000),
    "megabytes of an extension": post(
        CHUNKED, body=f"{_SIZE};x={SECRET * 200_000}\r\n{BODY}\r\n0\r\n\r\n"
    ),
}
"""Rejected before most of them is sent, so that a client may not receive the response."""
