from collections.abc import Mapping
from typing import Any

import pytest
from attrs import field, frozen

from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.authentication_service import AuthenticationService, Respond
from tests.entrypoints.http.delegated import (
    ACCEPT,
    AUTHORIZATION,
    BEARER,
    FAIL,
    JSON,
    MUTE_BODY,
    REFUSE,
    TOKEN,
    CountingGateway,
    request_head,
    serving,
)
from tests.support.service import DEMO_REQUEST, MUTE

Outcome = tuple[int, str]


@frozen(kw_only=True)
class BadBody:
    body: bytes = MUTE_BODY
    headers: dict[str, str] = field(factory=dict)
    outcome: Outcome = (400, "INVALID_REQUEST")
    message: str


TYPE = "Content-Type must be application/json, in UTF-8"
CODING = "Content-Encoding is not supported; send the body as it is"
UNSUPPORTED: Outcome = (415, "UNSUPPORTED_MEDIA_TYPE")
LATIN = {"Content-Type": "application/json; charset=latin-1"}
BAD_BODIES: Mapping[str, BadBody] = {
    "empty": BadBody(body=b"", message="the body is not JSON"),
    "not JSON": BadBody(body=b"{", message="the body is not JSON"),
    "not an object": BadBody(body=b"[]", message="the body is not a JSON object"),
    "a duplicate key": BadBody(
        body=MUTE_BODY[:-1] + b', "muted": 1}', message="muted is given twice"
    ),
    "NaN": BadBody(body=b'{"x": NaN}', message="the body holds NaN, which is not JSON"),
    "too large a number": BadBody(
        body=MUTE_BODY[:-1] + b', "x": 1e400}', message="the body holds a number that is too large"
    ),
    "not UTF-8": BadBody(body=b'{"x": "\xff"}', message="the body is not UTF-8"),
    "another type": BadBody(
        headers={"Content-Type": "text/plain"}, outcome=UNSUPPORTED, message=TYPE
    ),
    "another charset": BadBody(headers=LATIN, outcome=UNSUPPORTED, message=TYPE),
    "compressed": BadBody(
        headers={"Content-Encoding": "gzip"}, outcome=UNSUPPORTED, message=CODING
    ),
}


@pytest.mark.parametrize(
    ("respond", "auth_error"),
    [
        (ACCEPT, None),
        (REFUSE, (401, "UNAUTHORIZED")),
        (FAIL, (502, "AUTH_SERVICE_ERROR")),
    ],
    ids=["accepted", "refused", "failed"],
)
class TestOrder:
    async def test_has_authentication_before_a_bad_body(
        self, rooms: CountingGateway, respond: Respond, auth_error: Outcome | None
    ) -> None:
        wrong = {}
        auth_service = AuthenticationService(respond=respond)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            for name, bad in BAD_BODIES.items():
                answer = await service.ask(
                    "POST", MUTE, data=bad.body, headers=JSON | BEARER | bad.headers
                )
                message = bad.message if auth_error is None else answer.json["error"]
                expected = (*(auth_error or bad.outcome), message)
                if (*answer.outcome, answer.json["error"]) != expected:
                    wrong[name] = (*answer.outcome, answer.json["error"])
        assert wrong == {}
        assert [sent.data["request_body"] for sent in auth_service.requests] == [{}] * len(
            BAD_BODIES
        )
        assert rooms.calls == []

    async def test_has_authentication_before_a_bad_field(
        self, rooms: CountingGateway, respond: Respond, auth_error: Outcome | None
    ) -> None:
        bodies: list[dict[str, Any]] = [{}, {**DEMO_REQUEST, "muted": "yes"}, {"x": [None, {}]}]
        auth_service = AuthenticationService(respond=respond)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            outcomes = [
                (await service.ask("POST", MUTE, json=body, headers=BEARER)).outcome
                for body in bodies
            ]
        assert outcomes == [auth_error or (400, "INVALID_REQUEST")] * len(bodies)
        assert [sent.data["request_body"] for sent in auth_service.requests] == bodies
        assert rooms.calls == []

    async def test_does_not_read_a_large_body_of_another_type(
        self, rooms: CountingGateway, respond: Respond, auth_error: Outcome | None
    ) -> None:
        lines = ("Content-Type: text/plain", "Content-Length: 999", "Connection: close")
        limits = Limits(leave_delay_s=0, max_body_bytes=300, body_timeout_s=0.1)
        auth_service = AuthenticationService(respond=respond)
        async with auth_service.running(), serving(auth_service, rooms, limits=limits) as service:
            [answer] = await service.send(request_head(AUTHORIZATION, *lines), path=MUTE)
        assert answer.outcome == (auth_error or (415, "UNSUPPORTED_MEDIA_TYPE"))
        assert len(auth_service.requests) == 1


BODY = ("Content-Type: application/json", "Content-Length: 2", "Connection: close")
CHUNKS = ("Content-Type: application/json", "Transfer-Encoding: chunked")
BEFORE_AUTHENTICATION: Mapping[str, tuple[list[bytes], Outcome]] = {
    "no token": ([request_head(*BODY) + b"{}"], (401, "UNAUTHORIZED")),
    "another scheme": (
        [request_head("Authorization: Basic eDp5", *BODY) + b"{}"],
        (401, "UNAUTHORIZED"),
    ),
    "an empty token": ([request_head(*BODY, query="?api_key=") + b"{}"], (401, "UNAUTHORIZED")),
    "too long a token": (
        [request_head(AUTHORIZATION + 4096 * "x", *BODY) + b"{}"],
        (401, "UNAUTHORIZED"),
    ),
    "no token, and a body too large": (
        [request_head("Content-Length: 999", "Connection: close")],
        (401, "UNAUTHORIZED"),
    ),
    "two headers": (
        [request_head(AUTHORIZATION, AUTHORIZATION, *BODY) + b"{}"],
        (400, "INVALID_REQUEST"),
    ),
    "two headers of different schemes": (
        [request_head(AUTHORIZATION, "Authorization: Basic eDp5", *BODY) + b"{}"],
        (400, "INVALID_REQUEST"),
    ),
    "two parameters": (
        [request_head(*BODY, query=f"?api_key={TOKEN}&api_key={TOKEN}") + b"{}"],
        (400, "INVALID_REQUEST"),
    ),
    "two parameters, and a body too large": (
        [request_head(BODY[0], "Content-Length: 999", BODY[2], query="?api_key=x&api_key=x")],
        (400, "INVALID_REQUEST"),
    ),
    "a body said to be too large": (
        [request_head(AUTHORIZATION, BODY[0], "Content-Length: 301")],
        (413, "PAYLOAD_TOO_LARGE"),
    ),
    "a body that gets too large": (
        [request_head(AUTHORIZATION, *CHUNKS) + b"12d\r\n" + 301 * b" " + b"\r\n"],
        (413, "PAYLOAD_TOO_LARGE"),
    ),
    "a body that stops": (
        [request_head(AUTHORIZATION, BODY[0], "Content-Length: 3"), b"{}"],
        (408, "REQUEST_TIMEOUT"),
    ),
    "a body that never comes": (
        [request_head(AUTHORIZATION, BODY[0], "Content-Length: 300")],
        (408, "REQUEST_TIMEOUT"),
    ),
}


class TestAuthenticationService:
    @pytest.mark.parametrize(
        ("parts", "outcome"), BEFORE_AUTHENTICATION.values(), ids=BEFORE_AUTHENTICATION.keys()
    )
    async def test_is_not_called_after_an_earlier_error(
        self, rooms: CountingGateway, parts: list[bytes], outcome: Outcome
    ) -> None:
        auth_service = AuthenticationService(respond=ACCEPT)
        limits = Limits(leave_delay_s=0, max_body_bytes=300, body_timeout_s=0.1)
        async with auth_service.running(), serving(auth_service, rooms, limits=limits) as service:
            [answer] = await service.send(*parts, path=MUTE)
        assert answer.outcome == outcome
        assert auth_service.targets == []
        assert rooms.calls == []

    async def test_is_not_called_after_invalid_chunks(self, rooms: CountingGateway) -> None:
        head = request_head(AUTHORIZATION, *CHUNKS)
        auth_service = AuthenticationService(respond=ACCEPT)
        limits = Limits(leave_delay_s=0, body_timeout_s=3600, request_timeout_s=3600)
        async with auth_service.running(), serving(auth_service, rooms, limits=limits) as service:
            [answer] = await service.send(head + b"2\r\n{}\r\n", b"s3cret\r\n", path=MUTE)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert auth_service.targets == []
        assert rooms.calls == []

    async def test_is_not_called_for_other_paths(self, rooms: CountingGateway) -> None:
        auth_service = AuthenticationService(respond=ACCEPT)
        async with auth_service.running(), serving(auth_service, rooms) as service:
            outcome = [
                (await service.ask(method, path, headers=BEARER)).status
                for method, path in (("GET", "/"), ("GET", "/readyz"), ("GET", MUTE), ("GET", "/x"))
            ]
        assert outcome == [200, 200, 405, 404]
        assert auth_service.targets == []
