"""The settings of authentication: each source of identity, and how variables combine."""

from pathlib import Path
from typing import get_args

import pytest

from adapters.identity.claims import ClaimRules
from entrypoints.settings.auth import AUTHENTICATION
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import load_settings
from tests.adapters.identity.cases.keys import signer, to_json
from tests.entrypoints.settings.test_settings import problem, problem_of

SOURCES = (
    "AUTH_API_SECRETS_JSON, AUTH_API_SECRETS_FILE, AUTH_API_SECRET, AUTH_API_SECRET_FILE,"
    " AUTH_JWKS_URL, AUTH_JWT_PUBLIC_KEY_PATH or AUTH_SERVICE_URL"
)
NAMES = [
    name
    for group in AUTHENTICATION
    for setting in group.settings.values()
    for name in setting.names
]
KEYS = "AUTH_JWKS_URL or AUTH_JWT_PUBLIC_KEY_PATH"
SOURCES_WITHOUT_ID = "AUTH_JWKS_URL, AUTH_JWT_PUBLIC_KEY_PATH or AUTH_SERVICE_URL"


@pytest.fixture
def service(signing_key: str) -> dict[str, str]:
    """The settings of an authentication service."""
    return {"AUTH_SERVICE_URL": "https://auth.example.com", "AUTH_SIGNING_KEY_PATH": signing_key}


class TestTokens:
    def test_may_be_verified_with_keys_at_a_url(self) -> None:
        settings = load_settings({"AUTH_JWKS_URL": "https://issuer.example.com/keys?tenant=a"})
        assert settings.auth.required
        assert settings.auth.tokens
        assert settings.auth.tokens.jwks_url == "https://issuer.example.com/keys?tenant=a"
        assert settings.auth.tokens.rules == ClaimRules()

    def test_may_be_verified_with_keys_of_a_file(self, public_key: str) -> None:
        tokens = load_settings({"AUTH_JWT_PUBLIC_KEY_PATH": public_key}).auth.tokens
        assert tokens
        assert (tokens.jwks_url, len(tokens.public_keys)) == ("", 1)

    def test_are_verified_by_the_rules_that_are_set(self, public_key: str) -> None:
        settings = load_settings(
            {
                "AUTH_JWT_PUBLIC_KEY_PATH": public_key,
                "AUTH_JWT_ISSUER": "https://issuer.example.com/",
                "AUTH_JWT_AUDIENCE": "mute",
                "AUTH_JWT_AUDIENCE_CLAIM": "client_id",
                "AUTH_JWT_ID_CLAIM": "https://example.com/tenant",
                "AUTH_JWT_LEEWAY_SECONDS": "0",
                "AUTH_ALLOW_NO_ID": "true",
            }
        )
        assert settings.auth.tokens
        assert settings.auth.tokens.rules == ClaimRules(
            issuer="https://issuer.example.com/",
            audience="mute",
            audience_claim="client_id",
            id_claim="https://example.com/tenant",
            leeway_s=0.0,
            allow_no_id=True,
        )

    def test_may_be_verified_with_keys_of_this_machine_without_tls(self) -> None:
        for url in ("http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys"):
            assert load_settings({"AUTH_JWKS_URL": url}).auth.tokens, url

    def test_must_not_be_verified_with_keys_that_others_can_forge(self) -> None:
        texts = {
            url: problem({"AUTH_JWKS_URL": url})
            for url in (
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
            )
        }
        wrong = {
            url: text
            for url, text in texts.items()
            if not text.startswith("AUTH_JWKS_URL: must be ") or "s3cret" in text
        }
        assert wrong == {}


class TestService:
    def test_may_be_the_source_of_identity(self, service: dict[str, str]) -> None:
        settings = load_settings({**service, "AUTH_TIMEOUT_SECONDS": "7.5"})
        assert settings.auth.required
        assert settings.auth.service
        assert settings.auth.service.url == "https://auth.example.com"
        assert settings.auth.service.signing_key.alg == "ES256"
        assert settings.auth.timeout_s == 7.5

    def test_has_a_timeout_of_five_seconds_by_default(self, service: dict[str, str]) -> None:
        assert load_settings(service).auth.timeout_s == 5

    def test_must_have_an_http_url(self, service: dict[str, str]) -> None:
        urls = (
            "auth:8080",
            "ws://auth",
            "http://u:s3cret@auth",
            "http://",
            "http://a..b",
            "http://a,http://b",
            "http://${AUTH_HOST}",
            "http://" + 64 * "a",
        )
        texts = {url: problem({**service, "AUTH_SERVICE_URL": url}) for url in urls}
        assert texts == dict.fromkeys(
            urls,
            "AUTH_SERVICE_URL: must be a URL that starts with https:// or http://, followed by one"
            " host and, if any, a port from 1 to 65535, without a user or a fragment",
        )


class TestCombinations:
    def test_stop_the_start_if_a_variable_has_no_effect_without_another(
        self, signing_key: str
    ) -> None:
        cases: list[tuple[dict[str, str], str]] = [
            ({"AUTH_REQUIRED": "true"}, SOURCES),
            ({"AUTH_ALLOW_NO_ID": "true", "AUTH_API_SECRET": "s3cret"}, SOURCES_WITHOUT_ID),
            ({"AUTH_ALLOW_NO_ID": "true"}, SOURCES),
            ({"AUTH_ALLOW_NO_ID": "false"}, SOURCES),
            ({"AUTH_JWT_ISSUER": "x"}, KEYS),
            ({"AUTH_JWT_AUDIENCE": "x"}, KEYS),
            ({"AUTH_JWT_AUDIENCE_CLAIM": "x"}, "AUTH_JWT_AUDIENCE"),
            ({"AUTH_JWT_AUDIENCE_CLAIM": "x", "AUTH_JWKS_URL": "https://x"}, "AUTH_JWT_AUDIENCE"),
            ({"AUTH_JWT_ID_CLAIM": "x"}, KEYS),
            ({"AUTH_JWT_LEEWAY_SECONDS": "1"}, KEYS),
            ({"AUTH_SERVICE_URL": "https://auth.example.com"}, "AUTH_SIGNING_KEY_PATH"),
            ({"AUTH_SIGNING_KEY_PATH": signing_key}, "AUTH_SERVICE_URL"),
            ({"AUTH_TIMEOUT_SECONDS": "1"}, SOURCES),
        ]
        assert [problem(variables) for variables, _ in cases] == [
            f"{next(iter(variables))}: needs {needed} to be set too" for variables, needed in cases
        ]

    def test_stop_the_start_if_keys_come_from_two_places(self, public_key: str) -> None:
        both = {"AUTH_JWKS_URL": "https://x", "AUTH_JWT_PUBLIC_KEY_PATH": public_key}
        assert problem(both) == (
            "AUTH_JWKS_URL: AUTH_JWT_PUBLIC_KEY_PATH is set too; set one of them"
        )

    def test_keep_keys_out_of_their_repr(self, service: dict[str, str]) -> None:
        settings = load_settings(
            {
                **service,
                "AUTH_SERVICE_URL": "https://auth.example.com?key=s3cret",
                "AUTH_JWKS_URL": "https://keys.example.com?key=s3cret",
                "AUTH_API_SECRET": "s3cret",
            }
        )
        assert "s3cret" not in repr(settings)
        assert "PRIVATE" not in repr(settings)


def is_empty(name: str) -> str:
    return (
        f"{name}: is empty, and no source of identity is set;"
        " to start without authentication, set AUTH_REQUIRED=false"
    )


class TestEmptyVariables:
    def test_stop_the_start_if_authentication_would_be_off(self) -> None:
        for gateway in get_args(GatewayKind):
            texts = {name: problem_of({name: ""}, gateway=gateway) for name in NAMES}
            assert texts == {name: is_empty(name) for name in NAMES}

    def test_stop_the_start_beside_each_other(self) -> None:
        assert problem(dict.fromkeys(NAMES, "")) == is_empty("AUTH_REQUIRED")

    def test_count_as_unset_if_authentication_is_off_on_purpose(self) -> None:
        empty = dict.fromkeys(NAMES, "") | {"AUTH_REQUIRED": "false"}
        assert problem(empty) == "accepted"
        assert load_settings(empty).without_effect == ()

    def test_count_as_unset_beside_a_source_of_identity(
        self, public_key: str, service: dict[str, str]
    ) -> None:
        sources = (
            {"AUTH_API_SECRET": "s3cret"},
            {"AUTH_JWKS_URL": "https://keys.example.com"},
            {"AUTH_JWT_PUBLIC_KEY_PATH": public_key},
            service,
        )
        for source in sources:
            settings = load_settings({**dict.fromkeys(NAMES, ""), **source})
            assert (settings.auth.required, settings.without_effect) == (True, ())

    def test_are_named_if_authentication_is_required(self) -> None:
        assert problem({"AUTH_REQUIRED": "true", "AUTH_API_SECRET": ""}) == (
            f"AUTH_REQUIRED: needs {SOURCES} to be set too; AUTH_API_SECRET is empty"
        )

    def test_hold_no_white_space(self) -> None:
        texts = {(name, value): problem({name: value}) for name in NAMES for value in " \t\r\n"}
        assert [key for key, text in texts.items() if not text.startswith(f"{key[0]}: ")] == []


class TestWarnings:
    def test_name_settings_that_let_in_more_callers_than_expected(self) -> None:
        keys = {"AUTH_JWKS_URL": "https://x"}
        assert load_settings(keys).auth.warnings == (
            "AUTH_JWT_AUDIENCE is not set: tokens issued for other services are accepted",
        )
        keys["AUTH_JWT_AUDIENCE"] = "x"
        assert load_settings(keys).auth.warnings == ()
        keys["AUTH_ALLOW_NO_ID"] = "1"
        assert load_settings(keys).auth.warnings == (
            "AUTH_ALLOW_NO_ID is on: callers without an id can reach every room",
        )

    def test_name_keys_of_a_file_that_are_not_used(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        encryption = {**signer("RS256").jwk, "kid": "enc-1", "use": "enc"}
        path.write_bytes(to_json({"keys": [signer("ES256").jwk, encryption]}))
        settings = {"AUTH_JWT_PUBLIC_KEY_PATH": str(path), "AUTH_JWT_AUDIENCE": "x"}
        assert load_settings(settings).auth.warnings == (
            "AUTH_JWT_PUBLIC_KEY_PATH has unused keys: kid 'enc-1': use is not sig",
        )

    def test_name_a_service_without_tls_on_another_machine(self, service: dict[str, str]) -> None:
        warnings = {
            url: load_settings({**service, "AUTH_SERVICE_URL": url}).auth.warnings
            for url in ("https://auth.example.com", "http://auth.example.com", "http://127.0.0.1")
        }
        forged = (
            "AUTH_SERVICE_URL uses plain HTTP: anyone on the network path can forge its answers"
        )
        assert warnings == {
            "https://auth.example.com": (),
            "http://auth.example.com": (forged,),
            "http://127.0.0.1": (),
        }
