import pytest

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve
from tests.service import DEMO_WISH, MUTE, Answer, Service

INVALID = 'Bearer error="invalid_token"'


async def ask(service: Service, *lines: str, query: str = "") -> Answer:
    """Ask with header lines that no HTTP client would send."""
    head = [f"POST {MUTE}{query} HTTP/1.1", "Host: x", "Connection: close", *lines]
    head += ["Content-Type: application/json", "Content-Length: 2"]
    [answer] = await service.send("\r\n".join([*head, "", "{}"]).encode("latin-1"), path=MUTE)
    return answer


class TestHeader:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    async def test_identifies_whatever_the_case_of_its_scheme(
        self, guarded: Service, scheme: str
    ) -> None:
        assert (await ask(guarded, f"Authorization: {scheme} {DEMO_TOKEN}")).status == 400

    @pytest.mark.parametrize(
        "value",
        [
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
        ],
    )
    async def test_is_refused_where_it_is_not_a_known_token(
        self, guarded: Service, value: str
    ) -> None:
        answer = await ask(guarded, f"Authorization: {value}")
        assert answer.told == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"] == INVALID

    async def test_is_asked_for_where_there_is_none(self, guarded: Service) -> None:
        answer = await ask(guarded)
        assert answer.told == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


class TestQuery:
    async def test_identifies_too(self, guarded: Service) -> None:
        answer = await guarded.ask("POST", f"{MUTE}?api_key={DEMO_TOKEN}", json=DEMO_WISH)
        assert answer.status == 200

    @pytest.mark.parametrize("more", ["%20", "%20x", "%0A", "%00", "%C3%A9", "%FF"])
    async def test_is_refused_where_more_follows_a_known_token(
        self, guarded: Service, more: str
    ) -> None:
        answer = await ask(guarded, query=f"?api_key={DEMO_TOKEN}{more}")
        assert answer.told == (401, "UNAUTHORIZED")

    @pytest.mark.parametrize("value", ["", "x", "%20", "%00", "%C3%A9", "%FF", "x" * 4097])
    async def test_is_refused_where_it_is_not_a_known_token(
        self, guarded: Service, value: str
    ) -> None:
        answer = await ask(guarded, query=f"?api_key={value}")
        assert answer.headers["WWW-Authenticate"] == INVALID

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
    async def test_yields_to_a_well_formed_header_right_or_wrong(
        self, guarded: Service, header: str, parameter: str, status: int
    ) -> None:
        answer = await guarded.ask(
            "POST",
            f"{MUTE}?api_key={parameter}",
            json=DEMO_WISH,
            headers={"Authorization": header},
        )
        assert answer.status == status


class TestLength:
    @pytest.mark.parametrize(("bound", "status"), [(len(DEMO_TOKEN), 200), (5, 401)])
    async def test_is_bounded(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator, bound: int, status: int
    ) -> None:
        limits = Limits(leaving_s=0, max_token_bytes=bound)
        service = await serve(authenticator=api_secrets, limits=limits)
        assert (await service.mute(token=DEMO_TOKEN)).status == status
        answer = await service.ask("POST", f"{MUTE}?api_key={DEMO_TOKEN}", json=DEMO_WISH)
        assert answer.status == status


class TestTwice:
    @pytest.mark.parametrize("second", [DEMO_TOKEN, OTHER_TOKEN, ""])
    async def test_is_a_bad_request(self, guarded: Service, second: str) -> None:
        one = f"Authorization: Bearer {DEMO_TOKEN}"
        answers = [
            await ask(guarded, one, f"Authorization: Bearer {second}"),
            await ask(guarded, one, query=f"?api_key={DEMO_TOKEN}&api_key={second}"),
        ]
        assert [answer.told for answer in answers] == [(400, "INVALID_REQUEST")] * 2
        assert {answer.json["error"] for answer in answers} == {
            "the credentials are given more than once"
        }


class TestAuthenticationOff:
    async def test_never_looks_at_credentials(self, serve: Serve) -> None:
        service = await serve()
        one = f"Authorization: Bearer {DEMO_TOKEN}"
        answer = await ask(service, one, one, query="?api_key=%FF&api_key=")
        assert answer.json["error"].startswith("room_name is missing")
