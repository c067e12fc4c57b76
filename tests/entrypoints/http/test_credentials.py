import json

import pytest
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from application.ports.authenticator import Authenticator, Identity, PresentedRequest
from domain.caller import AnonymousCaller
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve
from tests.support.service import DEMO_REQUEST, MUTE, Answer, Service

REFUSED = (401, "UNAUTHORIZED", 'Bearer error="invalid_token"')


BODY = json.dumps(DEMO_REQUEST).encode()


async def send(service: Service, *lines: str, query: str = "") -> Answer:
    """Request the demo's mute with header lines that HTTP clients would not send."""
    head = [f"POST {MUTE}{query} HTTP/1.1", "Host: x", "Connection: close", *lines]
    head += ["Content-Type: application/json", f"Content-Length: {len(BODY)}", "", ""]
    [answer] = await service.send("\r\n".join(head).encode("latin-1") + BODY, path=MUTE)
    return answer


class TestHeader:
    async def test_identifies_a_caller_whatever_the_case_of_its_scheme(
        self, guarded: Service
    ) -> None:
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = await send(guarded, f"Authorization: {scheme} {DEMO_TOKEN}")
            assert (answer.status, guarded.events[-1]["caller_id"]) == (200, "tenant-a"), scheme

    async def test_is_refused_if_it_is_not_a_known_token(self, guarded: Service) -> None:
        values = [
            "",
            "Bearer",
            "Bearer ",
            f"Bearer  {DEMO_TOKEN}",
            f"Bearer\t{DEMO_TOKEN}",
            f"Bearer {DEMO_TOKEN} x",
            f"Bearer {DEMO_TOKEN},{DEMO_TOKEN}",
            f"Bearer x{DEMO_TOKEN}",
            f"Bearer {DEMO_TOKEN.upper()}",
            f"Bearer {DEMO_TOKEN}\u00e9",
            DEMO_TOKEN,
            f"Basic {DEMO_TOKEN}",
            "Bearer " + "x" * 4097,
        ]
        wrong = {}
        for value in values:
            answer = await send(guarded, f"Authorization: {value}")
            if (*answer.outcome, answer.headers.get("WWW-Authenticate")) != REFUSED:
                wrong[value] = answer
        assert wrong == {}

    async def test_is_required(self, guarded: Service) -> None:
        answer = await send(guarded)
        assert answer.outcome == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


class TestQuery:
    async def test_identifies_a_caller(self, guarded: Service) -> None:
        answer = await guarded.ask("POST", f"{MUTE}?api_key={DEMO_TOKEN}", json=DEMO_REQUEST)
        assert answer.status == 200

    async def test_is_refused_if_it_is_not_a_known_token(self, guarded: Service) -> None:
        more = ["%20", "%20x", "%0A", "%00", "%C3%A9", "%FF"]
        others = ["", "x", "%20", "%00", "%C3%A9", "%FF", "x" * 4097]
        wrong = {}
        for value in [*(DEMO_TOKEN + one for one in more), *others]:
            answer = await send(guarded, query=f"?api_key={value}")
            if (*answer.outcome, answer.headers.get("WWW-Authenticate")) != REFUSED:
                wrong[value] = answer
        assert wrong == {}

    @pytest.mark.parametrize(
        ("header", "parameter", "status"),
        [
            (f"Bearer {DEMO_TOKEN}", OTHER_TOKEN, 200),
            (f"Bearer {OTHER_TOKEN}", DEMO_TOKEN, 404),
            ("Bearer wrong", DEMO_TOKEN, 401),
            ("Basic eDp5", DEMO_TOKEN, 200),
            ("Bearer", DEMO_TOKEN, 200),
            ("Bearer a b", DEMO_TOKEN, 200),
            ("Bearer " + "x" * 4096, DEMO_TOKEN, 401),
            ("Bearer " + "x" * 4097, DEMO_TOKEN, 200),
        ],
    )
    async def test_is_used_only_without_a_well_formed_header(
        self, guarded: Service, header: str, parameter: str, status: int
    ) -> None:
        answer = await guarded.ask(
            "POST",
            f"{MUTE}?api_key={parameter}",
            json=DEMO_REQUEST,
            headers={"Authorization": header},
        )
        assert answer.status == status


class TestLength:
    @pytest.mark.parametrize(("max_bytes", "status"), [(len(DEMO_TOKEN), 200), (5, 401)])
    async def test_is_limited(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator, max_bytes: int, status: int
    ) -> None:
        limits = Limits(leave_delay_s=0, max_token_bytes=max_bytes)
        service = await serve(authenticator=api_secrets, limits=limits)
        assert (await service.mute(token=DEMO_TOKEN)).status == status
        answer = await service.ask("POST", f"{MUTE}?api_key={DEMO_TOKEN}", json=DEMO_REQUEST)
        assert answer.status == status


class TestProblem:
    async def test_is_named_with_the_limit_and_its_setting(self, guarded: Service) -> None:
        long, header, parameter = (
            "the token is longer than 4096 bytes (MAX_TOKEN_BYTES)",
            (
                "the Authorization header is malformed: it must be Bearer <token>, with one space"
                " between them and a token of printable ASCII"
            ),
            "api_key is malformed: it must be a token of printable ASCII without spaces",
        )
        wrong = {}
        for line, query, problem in (
            ("Authorization: Bearer " + "x" * 4097, "", long),
            ("Authorization: Bearer " + "x" * 4097, "?api_key=%20", long),
            ("Authorization: Basic eDp5", "?api_key=" + "x" * 4097, long),
            ("X: y", "?api_key=" + "x" * 4097, long),
            ("Authorization: Basic eDp5", "", header),
            ("Authorization:", "", header),
            ("Authorization: Bearer a b", "?api_key=", header),
            ("X: y", "?api_key=", parameter),
            ("X: y", "?api_key=a%20b", parameter),
        ):
            answer = await send(guarded, line, query=query)
            event = guarded.events[-1]
            if {answer.json["error"], event["reason"]} != {problem} or answer.status != 401:
                wrong[line, query] = answer
        assert wrong == {}


class TestDuplicateCredentials:
    @pytest.mark.parametrize("second", [DEMO_TOKEN, OTHER_TOKEN, ""])
    async def test_are_a_bad_request(self, guarded: Service, second: str) -> None:
        one = f"Authorization: Bearer {DEMO_TOKEN}"
        answers = [
            await send(guarded, one, f"Authorization: Bearer {second}"),
            await send(guarded, one, query=f"?api_key={DEMO_TOKEN}&api_key={second}"),
        ]
        assert [answer.outcome for answer in answers] == [(400, "INVALID_REQUEST")] * 2
        assert [answer.json["error"] for answer in answers] == [
            "Authorization is given more than once",
            "api_key is given more than once",
        ]


class TestAuthenticationOff:
    async def test_never_reads_credentials(self, serve: Serve) -> None:
        service = await serve()
        one = f"Authorization: Bearer {DEMO_TOKEN}"
        answer = await send(service, one, one, query="?api_key=%FF&api_key=")
        assert answer.status == 200


@frozen
class RecordingAuthenticator(Authenticator):
    """Accesses the token twice, and accepts every request."""

    tokens: list[str] = field(factory=list)
    shown: list[str] = field(factory=list)

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        self.tokens.extend([request.token, request.token])
        self.shown.append(repr(request))
        return Identity(caller=AnonymousCaller(), source="test")

    @override
    async def verify_ready(self) -> None:
        """Return at once."""


class TestPresentedRequest:
    async def test_reads_its_token_once(self, serve: Serve) -> None:
        authenticator = RecordingAuthenticator()
        service = await serve(authenticator=authenticator)
        assert (await service.mute(token=DEMO_TOKEN)).status == 200
        first, second = authenticator.tokens
        assert first == DEMO_TOKEN
        assert first is second

    async def test_hides_its_token_in_its_repr(self, serve: Serve) -> None:
        authenticator = RecordingAuthenticator()
        service = await serve(authenticator=authenticator)
        await service.ask("POST", f"{MUTE}?api_key={DEMO_TOKEN}", json=DEMO_REQUEST)
        await service.mute(token=DEMO_TOKEN)
        assert len(authenticator.shown) == 2
        assert DEMO_TOKEN not in str(authenticator.shown)
