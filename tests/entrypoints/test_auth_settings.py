"""The settings of authentication: each source of identity, and what goes with what."""

from collections.abc import Mapping

import pytest

from adapters.identity.claims import ClaimRules
from entrypoints.settings import Settings, load_settings
from tests.entrypoints.test_settings import problem

SOURCES = (
    "AUTH_API_SECRETS_JSON, AUTH_API_SECRETS_FILE, AUTH_API_SECRET, AUTH_API_SECRET_FILE,"
    " AUTH_JWKS_URL, AUTH_JWT_PUBLIC_KEY_PATH or AUTH_SERVICE_URL"
)
KEYS = "AUTH_JWKS_URL or AUTH_JWT_PUBLIC_KEY_PATH"
TOLD_OF_NO_ID = "AUTH_JWKS_URL, AUTH_JWT_PUBLIC_KEY_PATH or AUTH_SERVICE_URL"


@pytest.fixture
def service(signing_key: str) -> dict[str, str]:
    """The settings of an authentication service."""
    return {"AUTH_SERVICE_URL": "https://auth.example.com", "AUTH_SIGNING_KEY_PATH": signing_key}


class TestTokens:
    def test_may_be_checked_with_keys_of_a_url(self) -> None:
        settings = load_settings({"AUTH_JWKS_URL": "https://issuer.example.com/keys?tenant=a"})
        assert settings.auth.required
        assert settings.auth.tokens
        assert settings.auth.tokens.jwks_url == "https://issuer.example.com/keys?tenant=a"
        assert settings.auth.tokens.rules == ClaimRules()

    def test_may_be_checked_with_keys_of_a_file(self, public_key: str) -> None:
        tokens = load_settings({"AUTH_JWT_PUBLIC_KEY_PATH": public_key}).auth.tokens
        assert tokens
        assert (tokens.jwks_url, len(tokens.public_keys)) == ("", 1)

    def test_have_claims_that_may_be_set(self, public_key: str) -> None:
        settings = load_settings(
            {
                "AUTH_JWT_PUBLIC_KEY_PATH": public_key,
                "AUTH_JWT_ISSUER": "https://issuer.example.com/",
                "AUTH_JWT_AUDIENCE": "mute",
                "AUTH_JWT_ID_CLAIM": "https://example.com/tenant",
                "AUTH_JWT_LEEWAY_SECONDS": "0",
                "AUTH_ALLOW_NO_ID": "true",
            }
        )
        assert settings.auth.tokens
        assert settings.auth.tokens.rules == ClaimRules(
            issuer="https://issuer.example.com/",
            audience="mute",
            id_claim="https://example.com/tenant",
            leeway_s=0.0,
            allow_no_id=True,
        )

    def test_may_come_from_a_clock_ten_minutes_off_and_no_more(self, public_key: str) -> None:
        keys = {"AUTH_JWT_PUBLIC_KEY_PATH": public_key}
        tokens = load_settings({**keys, "AUTH_JWT_LEEWAY_SECONDS": "600"}).auth.tokens
        assert tokens
        assert tokens.rules.leeway_s == 600
        text = problem({**keys, "AUTH_JWT_LEEWAY_SECONDS": "600.5"})
        assert text.startswith("AUTH_JWT_LEEWAY_SECONDS: must be ")

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys"]
    )
    def test_may_have_keys_on_this_machine_without_tls(self, url: str) -> None:
        assert load_settings({"AUTH_JWKS_URL": url}).auth.tokens

    @pytest.mark.parametrize(
        "url",
        [
            "http://issuer.example.com/s3cret",
            "http://127.0.0.1.example.com/s3cret",
            "http://localhost.example.com/s3cret",
            "http://10.0.0.1/s3cret",
            "ftp://127.0.0.1/s3cret",
            "https://user:s3cret@example.com/",
            "https://example.com/#s3cret",
            "https:///s3cret",
            "file:///s3cret",
            "s3cret",
        ],
    )
    def test_must_not_have_keys_that_others_could_send(self, url: str) -> None:
        text = problem({"AUTH_JWKS_URL": url})
        assert text.startswith("AUTH_JWKS_URL: must be ")
        assert "s3cret" not in text


class TestService:
    def test_may_be_asked(self, service: dict[str, str]) -> None:
        settings = load_settings({**service, "AUTH_TIMEOUT_SECONDS": "7.5"})
        assert settings.auth.required
        assert settings.auth.service
        assert settings.auth.service.url == "https://auth.example.com"
        assert settings.auth.service.signing_key.alg == "ES256"
        assert settings.auth.service.timeout_s == 7.5

    def test_has_five_seconds_and_at_most_sixty(self, service: dict[str, str]) -> None:
        for variables, timeout_s in (({}, 5), ({"AUTH_TIMEOUT_SECONDS": "60"}, 60)):
            settings = load_settings({**service, **variables})
            assert settings.auth.service
            assert settings.auth.service.timeout_s == timeout_s
        text = problem({**service, "AUTH_TIMEOUT_SECONDS": "60.5"})
        assert text.startswith("AUTH_TIMEOUT_SECONDS: must be ")

    @pytest.mark.parametrize(
        "url",
        [
            "auth:8080",
            "ws://auth",
            "http://u:s3cret@auth",
            "http://",
            "http://a..b",
            "http://" + 64 * "a",
        ],
    )
    def test_must_be_at_a_url_of_http(self, service: dict[str, str], url: str) -> None:
        text = problem({**service, "AUTH_SERVICE_URL": url})
        assert text == (
            "AUTH_SERVICE_URL: must be a https:// or http:// URL without a user or a fragment"
        )


class TestCombinations:
    @pytest.mark.parametrize(
        ("variables", "text"),
        [
            ({"AUTH_REQUIRED": "true"}, f"AUTH_REQUIRED: needs {SOURCES} to be set too"),
            (
                {"AUTH_ALLOW_NO_ID": "true", "AUTH_API_SECRET": "s3cret"},
                f"AUTH_ALLOW_NO_ID: needs {TOLD_OF_NO_ID} to be set too",
            ),
            ({"AUTH_JWT_ISSUER": "x"}, f"AUTH_JWT_ISSUER: needs {KEYS} to be set too"),
            ({"AUTH_JWT_AUDIENCE": "x"}, f"AUTH_JWT_AUDIENCE: needs {KEYS} to be set too"),
            ({"AUTH_JWT_ID_CLAIM": "x"}, f"AUTH_JWT_ID_CLAIM: needs {KEYS} to be set too"),
            (
                {"AUTH_JWT_LEEWAY_SECONDS": "1"},
                f"AUTH_JWT_LEEWAY_SECONDS: needs {KEYS} to be set too",
            ),
            (
                {"AUTH_SERVICE_URL": "https://auth.example.com"},
                "AUTH_SERVICE_URL: needs AUTH_SIGNING_KEY_PATH to be set too",
            ),
            ({"AUTH_TIMEOUT_SECONDS": "1"}, f"AUTH_TIMEOUT_SECONDS: needs {SOURCES} to be set too"),
            ({"AUTH_ALLOW_NO_ID": "false"}, f"AUTH_ALLOW_NO_ID: needs {SOURCES} to be set too"),
        ],
    )
    def test_stop_the_start_where_one_does_nothing_without_another(
        self, variables: Mapping[str, str], text: str
    ) -> None:
        assert problem(variables) == text

    def test_stop_the_start_where_a_key_has_no_service_to_ask(self, signing_key: str) -> None:
        assert problem({"AUTH_SIGNING_KEY_PATH": signing_key}) == (
            "AUTH_SIGNING_KEY_PATH: needs AUTH_SERVICE_URL to be set too"
        )

    def test_stop_the_start_where_keys_come_from_two_places(self, public_key: str) -> None:
        both = {"AUTH_JWKS_URL": "https://x", "AUTH_JWT_PUBLIC_KEY_PATH": public_key}
        assert problem(both) == (
            "AUTH_JWKS_URL: AUTH_JWT_PUBLIC_KEY_PATH is set too; set one of them"
        )

    @pytest.mark.parametrize(
        ("variables", "warning"),
        [
            ({"AUTH_JWKS_URL": "https://x"}, "set AUTH_JWT_AUDIENCE"),
            (
                {"AUTH_JWKS_URL": "https://x", "AUTH_JWT_AUDIENCE": "x", "AUTH_ALLOW_NO_ID": "1"},
                "AUTH_ALLOW_NO_ID is on",
            ),
        ],
    )
    def test_come_with_a_warning_where_more_are_let_in_than_one_may_think(
        self, variables: Mapping[str, str], warning: str
    ) -> None:
        assert [warning in said for said in load_settings(variables).auth.warnings] == [True]

    def test_come_with_a_warning_where_the_network_could_answer(
        self, service: dict[str, str]
    ) -> None:
        assert load_settings(service).auth.warnings == ()
        at = {**service, "AUTH_SERVICE_URL": "http://auth.example.com"}
        assert len(load_settings(at).auth.warnings) == 1
        at = {**service, "AUTH_SERVICE_URL": "http://127.0.0.1"}
        assert load_settings(at).auth.warnings == ()

    def test_keep_keys_out_of_their_repr(self, service: dict[str, str]) -> None:
        settings = load_settings({**service, "AUTH_API_SECRET": "s3cret"})
        assert isinstance(settings, Settings)
        assert "s3cret" not in repr(settings)
        assert "PRIVATE" not in repr(settings)
