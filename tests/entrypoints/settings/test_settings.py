from collections.abc import Mapping

from entrypoints.http.limits import Limits
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import load_settings

LIVEKIT = {
    "LIVEKIT_URL": "wss://livekit.example.com",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "s3cret-of-livekit-that-is-long-enough",
}


def problem(variables: Mapping[str, str]) -> str:
    """Load settings; give the error's text, or ``accepted``."""
    return problem_of(variables, gateway="livekit")


def problem_of(variables: Mapping[str, str], *, gateway: GatewayKind) -> str:
    try:
        load_settings(variables, gateway=gateway)
    except SettingsError as error:
        return str(error)
    return "accepted"


class TestDefaults:
    def test_are_the_documented_ones(self) -> None:
        settings = load_settings({})
        assert (settings.host, settings.port) == ("127.0.0.1", 3001)
        assert (settings.log_level, settings.log_format) == ("info", None)
        assert settings.livekit.timeout_s == 5
        assert settings.limits == Limits()
        assert not settings.auth.required


class TestWarnings:
    def test_name_what_is_off_or_missing(self) -> None:
        assert load_settings({}).warnings == (
            "authentication is off: every caller reaches every room",
            "LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET",
        )

    def test_ask_for_no_livekit_in_the_demo(self) -> None:
        assert len(load_settings({}, gateway="in-memory").warnings) == 1

    def test_name_timeouts_longer_than_that_of_a_request(self, signing_key: str) -> None:
        variables = {
            **LIVEKIT,
            "AUTH_SERVICE_URL": "https://auth.example.com",
            "AUTH_SIGNING_KEY_PATH": signing_key,
            "LIVEKIT_TIMEOUT_SECONDS": "20",
            "AUTH_TIMEOUT_SECONDS": "20",
        }
        assert load_settings({**variables, "REQUEST_TIMEOUT_SECONDS": "20"}).warnings == ()
        assert load_settings({**variables, "REQUEST_TIMEOUT_SECONDS": "19"}).warnings == (
            "LIVEKIT_TIMEOUT_SECONDS is longer than REQUEST_TIMEOUT_SECONDS, which applies first",
            "AUTH_TIMEOUT_SECONDS is longer than REQUEST_TIMEOUT_SECONDS, which applies first",
        )

    def test_name_a_short_secret_of_livekit_and_do_not_show_it(self) -> None:
        """It would be a library's warning for each room else."""
        warned = {}
        for secret in ("s3cret", "x" * 31, "x" * 32):
            variables = {**LIVEKIT, "LIVEKIT_API_SECRET": secret, "AUTH_API_SECRET": "s3cret"}
            warned[len(secret)] = load_settings(variables).warnings
        problem = "is shorter than 32 bytes: whoever guesses it can do anything in LiveKit"
        short = (f"LIVEKIT_API_SECRET {problem}",)
        assert warned == {6: short, 31: short, 32: ()}

    def test_name_limits_that_are_fewer_than_the_workers(self) -> None:
        variables = {**LIVEKIT, "AUTH_API_SECRET": "s3cret", "LIVEKIT_MAX_CONNECTIONS": "3"}
        assert load_settings({**variables, "WORKERS": "3"}).warnings == ()
        [warning] = load_settings({**variables, "WORKERS": "4"}).warnings
        assert warning.startswith("WORKERS is larger than LIVEKIT_MAX_CONNECTIONS: ")

    def test_are_none_once_livekit_and_a_source_of_identity_are_set(self) -> None:
        assert load_settings({**LIVEKIT, "AUTH_API_SECRET": "s3cret"}).warnings == ()


class TestLiveKit:
    def test_lists_the_part_that_is_missing_or_empty(self) -> None:
        for name in LIVEKIT:
            without = {other: value for other, value in LIVEKIT.items() if other != name}
            assert load_settings(without).livekit.missing == (name,)
            assert load_settings({**LIVEKIT, name: ""}).livekit.missing == (name,)

    def test_takes_any_url_of_a_server(self) -> None:
        for url in (
            "ws://127.0.0.1:7880",
            "wss://x.livekit.cloud",
            "http://livekit:7880/",
            "https://example.com/livekit",
            "http://[::1]:7880",
            "http://livekit_server:7880",
            "wss://xn--bcher-kva.example",
            "http://[fe80::1%25eth0]:7880",
        ):
            assert load_settings({**LIVEKIT, "LIVEKIT_URL": url}).livekit.url == url

    def test_rejects_everything_else_without_showing_it(self) -> None:
        texts = {
            url: problem({**LIVEKIT, "LIVEKIT_URL": url})
            for url in (
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
                "https://example.com#",
                "https://example.com:99999",
                "https://example.com:x",
                "http://[::1",
                "https://exam ple.com",
                " https://example.com",
                "https://example.com\n",
                "wss://a.example.com,wss://b.example.com",
                "wss://${LIVEKIT_HOST}",
                "wss://{{ host }}",
                "wss://<host>",
                "wss://*.example.com",
            )
        }
        wrong = {
            url: text
            for url, text in texts.items()
            if not text.startswith("LIVEKIT_URL: must be ") or "s3cret" in text
        }
        assert wrong == {}


class TestSettings:
    def test_take_addresses_and_names_for_the_host(self) -> None:
        for host in ("0.0.0.0", "::", "::1", "localhost", "a.example.com"):
            assert load_settings({"HOST": host}).host == host

    def test_stop_the_start_if_an_api_secret_is_longer_than_a_token_may_be(self) -> None:
        secret = {"AUTH_API_SECRET": "s3cret-secret"}
        assert problem({**secret, "MAX_TOKEN_BYTES": "13"}) == "accepted"
        assert problem({**secret, "MAX_TOKEN_BYTES": "12"}) == (
            "MAX_TOKEN_BYTES: must not be below the length of the longest API secret"
        )

    def test_know_every_secret_for_redaction(self) -> None:
        listed = '[{"id": "a", "secret": "s3cret-1"}, {"id": "b", "secret": "s3cret-2"}]'
        secrets = {"AUTH_API_SECRETS_JSON": listed, "AUTH_API_SECRET": "s3cret-3"}
        assert load_settings({**LIVEKIT, **secrets}).secrets == {
            LIVEKIT["LIVEKIT_API_SECRET"],
            "s3cret-1",
            "s3cret-2",
            "s3cret-3",
        }

    def test_do_not_take_an_empty_text_for_a_secret(self) -> None:
        assert load_settings({}).secrets == set()

    def test_keep_secrets_out_of_their_repr(self) -> None:
        assert "s3cret" not in repr(load_settings({**LIVEKIT, "AUTH_API_SECRET": "s3cret"}))

    def test_need_a_descriptor_for_each_connection(self) -> None:
        counts = ("MAX_CONNECTIONS", "MAX_IN_FLIGHT", "LIVEKIT_MAX_CONNECTIONS")
        few = {**dict.fromkeys(counts, "1"), "MAX_IN_FLIGHT_PER_TENANT": "1"}
        base = load_settings(few).max_descriptors
        assert base >= 256 + len(counts)
        more = {name: load_settings({**few, name: "1001"}).max_descriptors for name in counts}
        assert more == dict.fromkeys(counts, base + 1000)
