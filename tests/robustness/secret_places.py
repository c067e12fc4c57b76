"""Places for a secret in a request, or in the response of an upstream to one."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from attrs import frozen

from contract.livekit_answers import Answer, twirp_error
from tests.adapters.identity.cases.keys import signer
from tests.support.secret_scan import keep
from tests.support.service import DEMO_REQUEST, MUTE

KNOWN = keep("s3cret-of-the-demo")
BODY = json.dumps(DEMO_REQUEST)
GOOD = f"Authorization: Bearer {KNOWN}"
KEY = signer("EdDSA")

Write = Callable[[str], bytes]


@frozen
class Place:
    """A request around a secret, and the status of its response."""

    status: int
    request: Write
    livekit: Callable[[str], Answer] | None = None
    """The answer of LiveKit."""
    service: Callable[[str], web.Response] | None = None
    """The response of the authentication service."""


def post(*lines: str, body: str = BODY, start: str = f"POST {MUTE} HTTP/1.1") -> bytes:
    sized = [] if "Transfer" in "".join(lines) else [f"Content-Length: {len(body)}"]
    typed = [] if "Content-Type" in "".join(lines) else ["Content-Type: application/json"]
    head = [start, "Host: x", "Connection: close", *sized, *typed, *lines]
    return "\r\n".join([*head, "", body]).encode()


def header(name: str) -> Write:
    return lambda secret: post(GOOD, f"{name}: {secret}")


def credential(text: str) -> Write:
    return lambda secret: post(f"Authorization: {text.format(secret)}")


def target(start: str) -> Write:
    return lambda secret: post(GOOD, start=start.format(secret))


def body(text: str) -> Write:
    return lambda secret: post(GOOD, body=text.replace("#", secret))


def chunks(text: str) -> Write:
    size = f"{len(BODY):x}"
    coded = text.replace("SIZE", size).replace("BODY", BODY)
    return lambda secret: post(GOOD, "Transfer-Encoding: chunked", body=coded.replace("#", secret))


def signed(secret: str, *, life_s: int = 60, key: str = KEY.kid, header: bool = False) -> str:
    """Sign a token with a secret in its claims, and in its header if asked to."""
    claims = {"sub": "tenant-a", "exp": int(time.time()) + life_s, "name": secret}
    named = {"kid": secret, "jku": f"https://{secret}.example/"} if header else {}
    return keep(signer(KEY.alg, key).sign(claims, **named), "signed token")


def token(**how: Any) -> Write:
    return lambda secret: post(f"Authorization: Bearer {signed(secret, **how)}")


def page(status: int, **headers: str) -> Callable[[str], web.Response]:
    """Return a function that writes a response with the secret in body, reason and headers."""

    def write(secret: str) -> web.Response:
        outcome = {name.replace("_", "-"): value.format(secret) for name, value in headers.items()}
        return web.Response(status=status, reason=secret, text=secret, headers=outcome)

    return write


def text(status: int, pattern: str) -> Callable[[str], web.Response]:
    return lambda secret: web.Response(status=status, text=pattern.format(secret))


def json_response(*, status: int = 200, **members: object) -> Callable[[str], web.Response]:
    return lambda secret: web.json_response(
        {name: f"{value}".format(secret) for name, value in members.items()}, status=status
    )


def from_livekit(write: Callable[[str], web.Response]) -> Callable[[str], Answer]:
    def make(secret: str) -> Answer:
        async def answer(_: web.Request) -> web.StreamResponse:
            return write(secret)

        return answer

    return make


def _at_livekit(status: int, write: Callable[[str], web.Response]) -> Place:
    return Place(status, header("X-Nothing"), livekit=from_livekit(write))


def _at_the_service(status: int, write: Callable[[str], web.Response]) -> Place:
    return Place(status, credential("Bearer {}"), service=write)


IN_REQUESTS: Mapping[str, Place] = {
    "an unknown token": Place(401, credential("Bearer {}")),
    "a token of two words": Place(401, credential("Bearer {0} {0}")),
    "a scheme": Place(401, credential("{}")),
    "Basic credentials": Place(401, credential("Basic {}")),
    "Authorization twice": Place(400, header("Authorization")),
    "api_key": Place(401, lambda s: post(start=f"POST {MUTE}?api_key={s} HTTP/1.1")),
    "api_key twice": Place(400, target(f"POST {MUTE}?api_key={{0}}&api_key={{0}} HTTP/1.1")),
    "a query": Place(200, target(f"POST {MUTE}?{{}} HTTP/1.1")),
    "a probe's query": Place(200, target("GET /readyz?{} HTTP/1.1")),
    "the query of no path": Place(404, target("GET /nowhere?{} HTTP/1.1")),
    "a query behind a semicolon": Place(404, target(f"POST {MUTE};{{}} HTTP/1.1")),
    "an encoded query": Place(404, target(f"POST {MUTE}%3fapi_key={{}} HTTP/1.1")),
    "the query of another method": Place(405, target(f"GET {MUTE}?{{}} HTTP/1.1")),
    "a fragment": Place(200, target("GET /livez#{} HTTP/1.1")),
    "a bad request line": Place(400, target("GET /livez {} HTTP/1.1")),
    "a method": Place(400, target("{} /livez HTTP/1.1")),
    "a version": Place(400, target("GET /livez HTTP/{}")),
    "a header without a colon": Place(400, lambda s: post(GOOD, s)),
    "a header's name": Place(400, lambda s: post(GOOD, f"{s} : x")),
    "an over-long header": Place(400, lambda s: post(GOOD, f"X: {s * 400}")),
    "a length": Place(400, lambda s: post(GOOD, f"Content-Length: {s}")),
    "Expect": Place(400, header("Expect")),
    "Transfer-Encoding": Place(400, header("Transfer-Encoding")),
    "X-Request-ID": Place(200, header("X-Request-ID: not usable")),
    **{
        name: Place(200, header(name))
        for name in (
            *("Referer", "Cookie", "User-Agent", "Proxy-Authorization", "X-Api-Key", "Origin"),
            *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"),
        )
    },
    "a media type": Place(415, header("Content-Type: text/plain; x")),
    "a content coding": Place(415, header("Content-Encoding")),
    "an ignored field": Place(200, body(BODY[:-1] + ', "#": "#"}')),
    "a field twice": Place(400, body(BODY[:-1] + ', "#": 1, "#": 1}')),
    "a field of another type": Place(400, body(BODY.replace("true", '"#"'))),
    "no JSON": Place(400, body("#")),
    "a list": Place(400, body('["#"]')),
    "a body that is too large": Place(413, lambda s: post(GOOD, body=s * 2000)),
    "a body that is too slow": Place(408, lambda s: post(GOOD, body=f'{{"{s}": 1}}')[:-2]),
    "a chunk's extension": Place(200, chunks("SIZE;x=#\r\nBODY\r\n0\r\n\r\n")),
    "a trailer": Place(200, chunks("SIZE\r\nBODY\r\n0\r\nX: #\r\n\r\n")),
    "a chunk's size": Place(400, chunks("#\r\nBODY\r\n0\r\n\r\n")),
    "the claims of a valid token": Place(200, token()),
    "the claims of an expired token": Place(401, token(life_s=-600)),
    "the claims of a token with another key": Place(401, token(key="another")),
    "the header of a token": Place(200, token(header=True)),
}

AT_LIVEKIT: Mapping[str, Place] = {
    "LiveKit's 401": _at_livekit(500, page(401)),
    "LiveKit's 401 with a known phrase": _at_livekit(
        500, text(401, "invalid token: {}, error: token is expired")
    ),
    "LiveKit's Redis": _at_livekit(500, text(500, "dial tcp {}: connection refused")),
    "LiveKit's 404": _at_livekit(500, page(404)),
    "LiveKit's 500": _at_livekit(500, page(500, Set_Cookie="{}=1")),
    "LiveKit's redirect": _at_livekit(500, page(302, Location="http://{0}@127.0.0.1/{0}")),
    "LiveKit's invalid answer": _at_livekit(500, page(200)),
    "LiveKit's error": Place(
        500, header("X-Nothing"), livekit=lambda secret: twirp_error("internal", secret)
    ),
    "LiveKit's refusal": Place(
        500, header("X-Nothing"), livekit=lambda secret: twirp_error("invalid_argument", secret)
    ),
    "LiveKit's code": _at_livekit(500, json_response(status=400, code="{}", msg="{}")),
}

AT_THE_SERVICE: Mapping[str, Place] = {
    "the service's 401": _at_the_service(401, page(401, WWW_Authenticate="Bearer {}")),
    "the service's 403": _at_the_service(401, page(403, Set_Cookie="{}=1")),
    "the service's 500": _at_the_service(502, page(500)),
    "the service's 429": _at_the_service(502, page(429)),
    "the service's redirect": _at_the_service(502, page(302, Location="http://127.0.0.1/{}")),
    "the service's invalid answer": _at_the_service(502, page(200)),
    "the service's member": _at_the_service(502, json_response(name="{}")),
    "an invalid id": _at_the_service(502, json_response(id=" {}")),
}

PLACES = {**IN_REQUESTS, **AT_LIVEKIT, **AT_THE_SERVICE}
