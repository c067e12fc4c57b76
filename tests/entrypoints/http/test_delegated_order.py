from collections.abc import Mapping
from typing import Any

import pytest
from attrs import field, frozen

from entrypoints.http.limits import Limits
from tests.adapters.identity.authentication_service import AuthenticationService, Respond
from tests.entrypoints.http.delegated import (
    BEARER,
    DENY,
    FAIL,
    GRANT,
    JSON,
    SHOWN,
    TOKEN,
    WISH,
    CountingGateway,
    head,
    serving,
)
from tests.service import DEMO_WISH, MUTE

Told = tuple[int, str]


@frozen(kw_only=True)
class BadBody:
    body: bytes = WISH
    headers: dict[str, str] = field(factory=dict)
    told: Told = (400, "INVALID_REQUEST")
    problem: str


TYPE = "Content-Type must be application/json, in UTF-8"
CODING = "Content-Encoding is not supported; send the body as it is"
NOT_JSON: Told = (415, "UNSUPPORTED_MEDIA_TYPE")
LATIN = {"Content-Type": "application/json; charset=latin-1"}
BAD_BODIES: Mapping[str, BadBody] = {
    "empty": BadBody(body=b"", problem="the body is not JSON"),
    "no JSON": BadBody(body=b"{", problem="the body is not JSON"),
    "no object": BadBody(body=b"[]", problem="the body is not a JSON object"),
    "a key twice": BadBody(body=WISH[:-1] + b', "muted": 1}', problem="muted is given twice"),
    "NaN": BadBody(body=b'{"x": NaN}', problem="the body holds NaN, which is not JSON"),
    "too large a number": BadBody(
        body=WISH[:-1] + b', "x": 1e400}', problem="the body holds a number that is too large"
    ),
    "not UTF-8": BadBody(body=b'{"x": "\xff"}', problem="the body is not UTF-8"),
    "another type": BadBody(headers={"Content-Type": "text/plain"}, told=NOT_JSON, problem=TYPE),
    "another charset": BadBody(headers=LATIN, told=NOT_JSON, problem=TYPE),
    "compressed": BadBody(headers={"Content-Encoding": "gzip"}, told=NOT_JSON, problem=CODING),
}


@pytest.mark.parametrize(
    ("respond", "verdict"),
    [
        (GRANT, None),
        (DENY, (401, "UNAUTHORIZED")),
        (FAIL, (502, "AUTH_SERVICE_ERROR")),
    ],
    ids=["granted", "denied", "failed"],
)
class TestOrder:
    @pytest.mark.parametrize("bad", BAD_BODIES.values(), ids=BAD_BODIES.keys())
    async def test_puts_the_verdict_before_a_bad_body(
        self, rooms: CountingGateway, respond: Respond, verdict: Told | None, bad: BadBody
    ) -> None:
        authority = AuthenticationService(respond=respond)
        async with authority.running(), serving(authority, rooms) as service:
            answer = await service.ask(
                "POST", MUTE, data=bad.body, headers=JSON | BEARER | bad.headers
            )
        assert answer.told == (verdict or bad.told)
        assert verdict or answer.json["error"] == bad.problem
        assert [question.data["request_body"] for question in authority.questions] == [{}]
        assert rooms.calls == []

    @pytest.mark.parametrize("wish", [{}, {**DEMO_WISH, "muted": "yes"}, {"x": [None, {}]}])
    async def test_puts_the_verdict_before_a_bad_field(
        self,
        rooms: CountingGateway,
        respond: Respond,
        verdict: Told | None,
        wish: dict[str, Any],
    ) -> None:
        authority = AuthenticationService(respond=respond)
        async with authority.running(), serving(authority, rooms) as service:
            answer = await service.ask("POST", MUTE, json=wish, headers=BEARER)
        assert answer.told == (verdict or (400, "INVALID_REQUEST"))
        assert [question.data["request_body"] for question in authority.questions] == [wish]
        assert rooms.calls == []

    async def test_does_not_read_what_is_too_large_and_of_another_type(
        self, rooms: CountingGateway, respond: Respond, verdict: Told | None
    ) -> None:
        lines = ("Content-Type: text/plain", "Content-Length: 999", "Connection: close")
        limits = Limits(leaving_s=0, max_body_bytes=300, body_timeout_s=0.1)
        authority = AuthenticationService(respond=respond)
        async with authority.running(), serving(authority, rooms, limits=limits) as service:
            [answer] = await service.send(head(SHOWN, *lines), path=MUTE)
        assert answer.told == (verdict or (415, "UNSUPPORTED_MEDIA_TYPE"))
        assert len(authority.questions) == 1


BODY = ("Content-Type: application/json", "Content-Length: 2", "Connection: close")
CHUNKS = ("Content-Type: application/json", "Transfer-Encoding: chunked")
UNASKED: Mapping[str, tuple[list[bytes], Told]] = {
    "nothing shown": ([head(*BODY) + b"{}"], (401, "UNAUTHORIZED")),
    "no token": ([head("Authorization: Basic eDp5", *BODY) + b"{}"], (401, "UNAUTHORIZED")),
    "an empty token": ([head(*BODY, query="?api_key=") + b"{}"], (401, "UNAUTHORIZED")),
    "too long a token": ([head(SHOWN + 4096 * "x", *BODY) + b"{}"], (401, "UNAUTHORIZED")),
    "nothing shown, and a body too large": (
        [head("Content-Length: 999", "Connection: close")],
        (401, "UNAUTHORIZED"),
    ),
    "two headers": ([head(SHOWN, SHOWN, *BODY) + b"{}"], (400, "INVALID_REQUEST")),
    "two headers of two": (
        [head(SHOWN, "Authorization: Basic eDp5", *BODY) + b"{}"],
        (400, "INVALID_REQUEST"),
    ),
    "two parameters": (
        [head(*BODY, query=f"?api_key={TOKEN}&api_key={TOKEN}") + b"{}"],
        (400, "INVALID_REQUEST"),
    ),
    "two parameters, and a body too large": (
        [head(BODY[0], "Content-Length: 999", BODY[2], query="?api_key=x&api_key=x")],
        (400, "INVALID_REQUEST"),
    ),
    "a body said to be too large": (
        [head(SHOWN, BODY[0], "Content-Length: 301")],
        (413, "PAYLOAD_TOO_LARGE"),
    ),
    "a body that gets too large": (
        [head(SHOWN, *CHUNKS) + b"12d\r\n" + 301 * b" " + b"\r\n"],
        (413, "PAYLOAD_TOO_LARGE"),
    ),
    "a body that stops": (
        [head(SHOWN, BODY[0], "Content-Length: 3"), b"{}"],
        (408, "REQUEST_TIMEOUT"),
    ),
    "a body that never comes": (
        [head(SHOWN, BODY[0], "Content-Length: 300")],
        (408, "REQUEST_TIMEOUT"),
    ),
    "chunks that are none": (
        [head(SHOWN, *CHUNKS) + b"2\r\n{}\r\n", b"s3cret\r\n"],
        (400, "INVALID_REQUEST"),
    ),
}


class TestService:
    @pytest.mark.parametrize(("parts", "told"), UNASKED.values(), ids=UNASKED.keys())
    async def test_is_not_asked(
        self, rooms: CountingGateway, parts: list[bytes], told: Told
    ) -> None:
        authority = AuthenticationService(respond=GRANT)
        limits = Limits(leaving_s=0, max_body_bytes=300, body_timeout_s=0.1)
        async with authority.running(), serving(authority, rooms, limits=limits) as service:
            [answer] = await service.send(*parts, path=MUTE)
        assert answer.told == told
        assert authority.visits == []
        assert rooms.calls == []

    async def test_is_not_asked_by_other_paths(self, rooms: CountingGateway) -> None:
        authority = AuthenticationService(respond=GRANT)
        async with authority.running(), serving(authority, rooms) as service:
            told = [
                (await service.ask(method, path, headers=BEARER)).status
                for method, path in (("GET", "/"), ("GET", "/readyz"), ("GET", MUTE), ("GET", "/x"))
            ]
        assert told == [200, 200, 405, 404]
        assert authority.visits == []
