import json

import pytest
from attrs import evolve, frozen
from multidict import CIMultiDict

from tests.support.openapi_document import Document

MUTE = "/livekit/participant/mute"
COMMON = {
    "X-Request-ID": "a-1",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "livekit-mute",
}
MUTED = {
    "room_name": "conversation-room-123",
    "participant_identity": "user-alice-456",
    "track_sid": "TR_abc123",
    "muted": True,
}


@frozen(kw_only=True)
class Exchange:
    """A request's first line and the answer to it."""

    method: str = "POST"
    path: str = MUTE
    status: int = 200
    headers: CIMultiDict[str]
    body: bytes

    def without(self, header: str) -> "Exchange":
        headers = self.headers.copy()
        headers.popall(header)
        return evolve(self, headers=headers)

    def having(self, header: str, value: str) -> "Exchange":
        headers = self.headers.copy()
        headers[header] = value
        return evolve(self, headers=headers)


def success(body: object = MUTED) -> Exchange:
    headers = CIMultiDict({**COMMON, "Content-Type": "application/json"})
    return Exchange(headers=headers, body=json.dumps(body).encode())


def probe(method: str = "GET", path: str = "/livez") -> Exchange:
    return evolve(success({"status": "OK"}), method=method, path=path)


def failure(status: int, code: str, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    media_type = {"Content-Type": "application/json; charset=utf-8"}
    return Exchange(
        status=status,
        headers=CIMultiDict({**COMMON, **media_type, **named}),
        body=json.dumps({"error": "Something went wrong.", "code": code}).encode(),
    )


def unauthorized(challenge: str) -> Exchange:
    return failure(401, "UNAUTHORIZED", WWW_Authenticate=challenge)


def elsewhere(status: int, code: str, **headers: str) -> Exchange:
    return evolve(failure(status, code, **headers), method="GET", path="/elsewhere")


def check(exchange: Exchange) -> None:
    Document().check(
        method=exchange.method,
        path=exchange.path,
        status=exchange.status,
        headers=exchange.headers,
        body=exchange.body,
    )


def check_error(exchange: Exchange) -> None:
    Document().check_error(status=exchange.status, headers=exchange.headers, body=exchange.body)


ACCEPTED = {
    "a success": success(),
    "a success that states its charset": success().having(
        "Content-Type", "application/json; charset=utf-8"
    ),
    "a success to a path with a query": evolve(success(), path=f"{MUTE}?api_key=a/b?c"),
    "a success without a Server header": success().without("Server"),
    "a probe": probe(),
    "HEAD without a body": evolve(probe("HEAD"), body=b""),
    "a challenge for a missing token": unauthorized("Bearer"),
    "a challenge for a refused token": unauthorized('Bearer error="invalid_token"'),
    "overload": failure(503, "OVERLOADED", Retry_After="1"),
    "another 503 without Retry-After": failure(503, "AUTH_SERVICE_UNAVAILABLE"),
    "an unknown path": elsewhere(404, "NOT_FOUND"),
    "HEAD of an unknown path": evolve(elsewhere(404, "NOT_FOUND"), method="HEAD", body=b""),
    "an unknown method": evolve(
        failure(405, "METHOD_NOT_ALLOWED", Allow="GET,HEAD"), method="PUT", path="/livez"
    ),
    "overload on an unknown path": elsewhere(503, "OVERLOADED", Retry_After="1"),
}
REFUSED = {
    "an undocumented status": (evolve(success(), status=201), "documents no 201"),
    "another route's status": (evolve(elsewhere(404, "NOT_FOUND"), path="/livez"), "no 404"),
    "another status's code": (failure(400, "MUTE_FAILED"), "'MUTE_FAILED' is not one of"),
    "an undocumented code": (failure(500, "OOPS"), "'OOPS' is not one of"),
    "NOT_READY for a mute": (failure(503, "NOT_READY"), "'NOT_READY' is not one of"),
    "no X-Request-ID": (success().without("X-Request-ID"), "X-Request-ID is missing"),
    "a bad X-Request-ID": (success().having("X-Request-ID", "a b"), "X-Request-ID: .*match"),
    "no nosniff": (success().without("X-Content-Type-Options"), "Options is missing"),
    "another caching": (success().having("Cache-Control", "no-cache"), "Cache-Control: "),
    "no challenge": (failure(401, "UNAUTHORIZED"), "WWW-Authenticate is missing"),
    "another challenge": (unauthorized("Basic"), "WWW-Authenticate: .*not one of"),
    "overload without Retry-After": (failure(503, "OVERLOADED"), "without Retry-After"),
    "a bad Retry-After": (failure(503, "OVERLOADED", Retry_After="soon"), "Retry-After: "),
    "no media type": (success().without("Content-Type"), "Content-Type is '', not"),
    "another media type": (success().having("Content-Type", "text/plain"), "'text/plain', not"),
    "another charset": (
        success().having("Content-Type", "application/json; charset=latin-1"),
        "charset=latin-1', not",
    ),
    "an error without its charset": (
        failure(400, "INVALID_REQUEST").having("Content-Type", "application/json"),
        "'application/json', not",
    ),
    "a server's version": (success().having("Server", "aiohttp/3"), "Server tells a version"),
    "an extra field": (success({**MUTED, "more": 1}), "'more' was unexpected"),
    "a missing field": (success({"muted": True}), "'room_name' is a required property"),
    "a state that is no boolean": (success({**MUTED, "muted": 1}), "1 is not of type 'boolean'"),
    "an extra field in an error": (
        evolve(
            failure(400, "INVALID_REQUEST"),
            body=b'{"error": "No.", "code": "INVALID_REQUEST", "detail": 1}',
        ),
        "'detail' was unexpected",
    ),
    "an error without a sentence": (
        evolve(failure(400, "INVALID_REQUEST"), body=b'{"error": "", "code": "INVALID_REQUEST"}'),
        r"\$\.error: ",
    ),
    "a body that is no object": (success([]), "is not of type 'object'"),
    "a body that is not JSON": (evolve(success(), body=b"OK"), "not JSON in UTF-8"),
    "a body that is not UTF-8": (evolve(success(), body=b'"\xff"'), "not JSON in UTF-8"),
    "no body": (evolve(success(), body=b""), "not JSON in UTF-8"),
    "a body for HEAD": (probe("HEAD"), "answers a HEAD"),
    "HEAD without its headers": (
        evolve(probe("HEAD"), body=b"").without("X-Request-ID"),
        "X-Request-ID is missing",
    ),
    "the wrong probe": (probe(path="/readyz"), "'READY' was expected"),
    "success on an unknown path": (probe(path="/elsewhere"), "no unknown path or method"),
    "success with an unknown method": (probe("PUT"), "no unknown path or method"),
    "success with a method in lower case": (probe("get"), "no unknown path or method"),
    "a room's 404 on an unknown path": (elsewhere(404, "ROOM_NOT_FOUND"), "'ROOM_NOT_FOUND' is"),
    "405 with another code": (
        elsewhere(405, "NOT_FOUND", Allow="GET"),
        "'NOT_FOUND' is not one of",
    ),
    "405 without Allow": (elsewhere(405, "METHOD_NOT_ALLOWED"), "Allow is missing"),
}


class TestCheck:
    @pytest.mark.parametrize("exchange", ACCEPTED.values(), ids=ACCEPTED)
    def test_accepts(self, exchange: Exchange) -> None:
        check(exchange)

    @pytest.mark.parametrize(("exchange", "complaint"), REFUSED.values(), ids=REFUSED)
    def test_refuses(self, exchange: Exchange, complaint: str) -> None:
        with pytest.raises(AssertionError, match=complaint):
            check(exchange)

    def test_refuses_a_header_given_twice(self) -> None:
        answer = success()
        answer.headers.add("X-Request-ID", "a-2")
        with pytest.raises(AssertionError, match="X-Request-ID is there 2 times"):
            check(answer)

    def test_reads_header_names_in_any_case(self) -> None:
        answer = success()
        Document().check(
            method="POST",
            path=MUTE,
            status=200,
            headers={name.swapcase(): value for name, value in answer.headers.items()},
            body=answer.body,
        )


class TestCheckError:
    @pytest.mark.parametrize(
        "answer",
        [
            failure(400, "INVALID_REQUEST"),
            failure(404, "NOT_FOUND"),
            failure(405, "METHOD_NOT_ALLOWED", Allow="POST"),
            failure(500, "INTERNAL_ERROR"),
            failure(503, "OVERLOADED", Retry_After="1"),
        ],
        ids=lambda answer: str(answer.status),
    )
    def test_accepts(self, answer: Exchange) -> None:
        check_error(answer)

    @pytest.mark.parametrize(
        ("answer", "complaint"),
        [
            (failure(404, "ROOM_NOT_FOUND"), "'ROOM_NOT_FOUND' is not one of"),
            (failure(405, "NOT_FOUND", Allow="POST"), "'NOT_FOUND' is not one of"),
            (failure(405, "METHOD_NOT_ALLOWED"), "Allow is missing"),
            (failure(405, "METHOD_NOT_ALLOWED", Allow=""), "Allow: "),
            (failure(400, "INVALID_REQUEST").without("Cache-Control"), "Cache-Control is missing"),
            (failure(503, "OVERLOADED"), "Retry-After is missing"),
            (evolve(failure(400, "INVALID_REQUEST"), body=b"Bad Request"), "not JSON"),
            (success(), "no unknown path or method"),
        ],
    )
    def test_refuses(self, answer: Exchange, complaint: str) -> None:
        with pytest.raises(AssertionError, match=complaint):
            check_error(answer)
