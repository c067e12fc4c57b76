from collections.abc import Mapping

import pytest

from entrypoints.environment import SettingsError
from entrypoints.http.limits import Limits
from entrypoints.settings import Settings, load_settings

LIVEKIT = {
    "LIVEKIT_URL": "wss://livekit.example.com",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "s3cret-of-livekit",
}


def problem(variables: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as refusal:
        load_settings(variables)
    return str(refusal.value)


class TestDefaults:
    def test_are_those_of_the_documents(self) -> None:
        settings = load_settings({})
        assert (settings.host, settings.port) == ("127.0.0.1", 3001)
        assert (settings.log_level, settings.log_format) == ("info", None)
        assert settings.livekit.bounds.timeout_s == 5
        assert settings.limits == Limits()
        assert not settings.auth.required

    def test_come_with_a_warning_for_what_is_off(self) -> None:
        assert load_settings({}).warnings == (
            "authentication is off: every caller reaches every room",
            "LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET",
        )

    def test_need_no_livekit_for_the_demo(self) -> None:
        assert len(load_settings({}, gateway="in-memory").warnings) == 1

    def test_come_with_a_warning_where_one_time_cuts_another_short(self) -> None:
        cut = {"LIVEKIT_TIMEOUT_SECONDS": "20", "REQUEST_TIMEOUT_SECONDS": "19"}
        assert load_settings({**LIVEKIT, **cut, "AUTH_API_SECRET": "s3cret"}).warnings == (
            "LIVEKIT_TIMEOUT_SECONDS is cut short by REQUEST_TIMEOUT_SECONDS",
        )

    def test_need_no_warning_once_all_is_set(self) -> None:
        assert load_settings({**LIVEKIT, "AUTH_API_SECRET": "s3cret"}).warnings == ()


class TestLiveKit:
    @pytest.mark.parametrize("name", LIVEKIT)
    @pytest.mark.parametrize("empty", [True, False])
    def test_may_miss_a_part_and_says_which(self, name: str, empty: bool) -> None:
        variables = {**LIVEKIT, name: ""} if empty else {**LIVEKIT}
        if not empty:
            del variables[name]
        assert load_settings(variables).livekit.missing == (name,)

    @pytest.mark.parametrize(
        "url",
        [
            "ws://127.0.0.1:7880",
            "wss://x.livekit.cloud",
            "http://livekit:7880/",
            "https://example.com/livekit",
            "http://[::1]:7880",
        ],
    )
    def test_may_be_at_any_of_its_urls(self, url: str) -> None:
        assert load_settings({**LIVEKIT, "LIVEKIT_URL": url}).livekit.url == url

    @pytest.mark.parametrize(
        "url",
        [
            "localhost:7880",
            "livekit.example.com",
            "ftp://example.com",
            "http://",
            "http:///x",
            "ws://:7880",
            "ws://x:0",
            "wss://user:s3cret@example.com",
            "https://example.com?x=s3cret",
            "https://example.com?",
            "https://example.com#s3cret",
            "https://example.com:99999",
            "https://example.com:x",
            "http://[::1",
            "https://exam ple.com",
            " https://example.com",
            "https://example.com\n",
        ],
    )
    def test_must_not_be_at_anything_else(self, url: str) -> None:
        text = problem({**LIVEKIT, "LIVEKIT_URL": url})
        assert text.startswith("LIVEKIT_URL: must be ")
        assert "s3cret" not in text


class TestSettings:
    @pytest.mark.parametrize(
        "name",
        [
            "PORT",
            "MAX_CONNECTIONS",
            "MAX_IN_FLIGHT",
            "MAX_LINE_BYTES",
            "MAX_BODY_BYTES",
            "MAX_TOKEN_BYTES",
            "MAX_TRACK_SID_CHARACTERS",
            "HEADERS_TIMEOUT_SECONDS",
            "BODY_TIMEOUT_SECONDS",
            "IDLE_TIMEOUT_SECONDS",
            "REQUEST_TIMEOUT_SECONDS",
            "DRAIN_TIMEOUT_SECONDS",
            "LIVEKIT_MAX_CONNECTIONS",
            "LIVEKIT_MAX_ROOMS_PER_READ",
            "LIVEKIT_PROBE_DELAY_SECONDS",
            "LIVEKIT_TIMEOUT_SECONDS",
            "LIVEKIT_TOKEN_SECONDS",
            "LIVEKIT_API_KEY",
            "LIVEKIT_API_SECRET",
            "HOST",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "AUTH_REQUIRED",
        ],
    )
    def test_name_the_variable_that_is_wrong_and_not_its_value(self, name: str) -> None:
        text = problem({name: "s3cret é"})
        assert text.startswith(f"{name}: must be ")
        assert "s3cret" not in text
        assert "\n" not in text

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost", "a.example.com"])
    def test_take_addresses_and_names_for_the_host(self, host: str) -> None:
        assert load_settings({"HOST": host}).host == host

    def test_stop_the_start_where_a_variable_looks_misspelt(self) -> None:
        assert problem({"AUTH_REQIRED": "true"}) == (
            "AUTH_REQIRED: there is no such setting; is AUTH_REQUIRED meant?"
        )

    @pytest.mark.parametrize(
        "name",
        [
            "AUTH",
            "AUTHENTICATION_REQUIRED",
            "AUTHREQ",
            "API_SECRET",
            "API_SECRETS",
            "API_SECRETS_JSON",
            "SECRETS_JSON",
            "REQUIRE_AUTH",
            "ENABLE_AUTH",
            "USE_AUTH",
            "NO_AUTH",
            "DISABLE_AUTH",
            "AUTHENABLED",
            "AUTHSECRET",
            "AUTHTOKEN",
            "AUTHKEY",
            "AUTHMODE",
            "AUTHSERVICE",
            "AUTHZ_URL",
            "MUTE_API_SECRET",
            "LIVEKIT_MUTE_API_SECRET",
            "SAYNA_API_SECRET",
            "SERVICE_AUTH_REQUIRED",
            "JWT_SECRET",
            "JWT_KEY_PATH",
            "JWT_JWKS_URL",
            "TENANT_SECRETS",
            "ALLOW_NO_ID",
            "IS_AUTH_REQUIRED",
            "APP_AUTH_REQUIRED",
            "AUTHORIZATION_REQUIRED",
            "AUTH-JWKS-URL",
            "auth.required",
            "JWKS_URL",
            "JWT_PUBLIC_KEY_PATH",
            "JWT_ISSUER",
            "JWT_AUDIENCE",
            "SIGNING_KEY_PATH",
            "LIVEKIT_AUTH_REQUIRED",
            "LIVEKIT_MUTE_AUTH_REQUIRED",
        ],
    )
    def test_stop_the_start_where_one_shows_that_authentication_was_meant(self, name: str) -> None:
        text = problem({name: "s3cret"})
        assert text.startswith(f"{name}: there is no such setting")

    def test_stop_the_start_where_a_secret_could_never_be_sent(self) -> None:
        text = problem({"AUTH_API_SECRET": "s3cret-secret", "MAX_TOKEN_BYTES": "12"})
        assert text == "MAX_TOKEN_BYTES: must not be below the length of an API secret"

    def test_keep_secrets_out_of_their_repr(self) -> None:
        settings = load_settings({**LIVEKIT, "AUTH_API_SECRET": "s3cret"})
        assert isinstance(settings, Settings)
        assert "s3cret" not in repr(settings)
