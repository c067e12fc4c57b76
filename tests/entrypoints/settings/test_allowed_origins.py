"""The setting of the origins whose pages may call the service."""

import pytest

from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem

SECRETS = "CORS_ALLOWED_ORIGINS is set, and API secrets alone identify callers"
PLAIN = "CORS_ALLOWED_ORIGINS has an origin with plain HTTP"

MALFORMED = "must be an origin as browsers send it"
DEFAULT_PORT = "has the port that {}:// has anyway, which browsers do not send; remove :{}"
SCHEME = "must begin with https:// or http://, in lower case"
PATH = "must end after the host or port: no slash, no path"
LOWER = "must be in lower case, as browsers send it"
ASCII = "must be printable ASCII without spaces"
PORT = "must have a port from 1 to 65535, or none"

REJECTED = {
    "https://a.example.com,": (2, "is empty; remove the comma"),
    ",https://a.example.com": (1, "is empty"),
    "*": (1, "would be every website; list the origins of your own pages"),
    "https://a.example.com, *": (2, "would be every website"),
    "null": (1, "is what sandboxed frames and local files of anybody send"),
    "https://*.example.com": (1, "has a wildcard"),
    "*.example.com": (1, "has a wildcard"),
    "a.example.com": (1, SCHEME),
    "//a.example.com": (1, SCHEME),
    "HTTPS://a.example.com": (1, SCHEME),
    "wss://a.example.com": (1, SCHEME),
    "file://": (1, SCHEME),
    "chrome-extension://abcdefgh": (1, SCHEME),
    "https://a.example.com https://b.example.com": (1, ASCII),
    "https://a.example.com;https://b.example.com": (1, PATH),
    "https://bücher.example": (1, ASCII),
    "https://a.example.com/": (1, PATH),
    "https://a.example.com/app": (1, PATH),
    "https://a.example.com?x": (1, PATH),
    "https://a.example.com#x": (1, PATH),
    "https://user@a.example.com": (1, "must not have a user"),
    "https://A.example.com": (1, LOWER),
    "http://[2001:DB8::7]": (1, LOWER),
    "https://a.example.com:443": (1, DEFAULT_PORT.format("https", 443)),
    "http://a.example.com:80": (1, DEFAULT_PORT.format("http", 80)),
    "http://[::1]:80": (1, DEFAULT_PORT.format("http", 80)),
    "https://a.example.com:0": (1, PORT),
    "https://a.example.com:65536": (1, PORT),
    "https://a.example.com:0443": (1, PORT),
    "https://a.example.com:": (1, MALFORMED),
    "https://a.example.com:x": (1, MALFORMED),
    "https://a.example.com:" + "9" * 5000: (1, MALFORMED),
    "https://": (1, MALFORMED),
    "https://a..example.com": (1, MALFORMED),
    "https://[::1": (1, MALFORMED),
    "https://::1": (1, MALFORMED),
    "http://[2001:db8:0:0::7]": (1, MALFORMED),
    "http://[2001:db8::7::8]": (1, MALFORMED),
    "http://[::ffff:7f00:1]": (1, MALFORMED),
    "http://127.1": (1, MALFORMED),
    "http://127.0.0.01": (1, MALFORMED),
    "http://2130706433": (1, MALFORMED),
    "http://0x7f.0.0.0x1": (1, MALFORMED),
}


class TestAllowedOrigins:
    def test_are_none_by_default(self) -> None:
        assert load_settings({}).cors.origins == frozenset()

    @pytest.mark.parametrize(
        "origin",
        [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://app.example.com:443",
            "http://localhost",
            "http://localhost:5173",
            "http://127.0.0.1:8080",
            "http://[::1]:3000",
            "https://[2001:db8::7]",
            "https://xn--bcher-kva.example",
            "https://my_host-1.example:65535",
        ],
    )
    def test_are_taken_as_browsers_send_them(self, origin: str) -> None:
        assert load_settings({"CORS_ALLOWED_ORIGINS": origin}).cors.origins == {origin}

    def test_are_separated_by_commas(self) -> None:
        value = "https://a.example.com,https://b.example.com , http://localhost:80"
        assert problem({"CORS_ALLOWED_ORIGINS": value}).startswith("CORS_ALLOWED_ORIGINS: entry 3")
        found = load_settings({"CORS_ALLOWED_ORIGINS": value.rpartition(":80")[0]}).cors.origins
        assert found == {"https://a.example.com", "https://b.example.com", "http://localhost"}

    @pytest.mark.parametrize("value", REJECTED)
    def test_stop_the_start_if_no_browser_sends_them(self, value: str) -> None:
        place, remedy = REJECTED[value]
        found = problem({"CORS_ALLOWED_ORIGINS": value})
        assert found.startswith(f"CORS_ALLOWED_ORIGINS: entry {place}: {remedy}"), found


class TestWarnings:
    @staticmethod
    def warnings(origins: str, **variables: str) -> list[str]:
        found = load_settings({"CORS_ALLOWED_ORIGINS": origins, **variables}).warnings
        return [text.partition(":")[0] for text in found if text.startswith("CORS_")]

    def test_name_a_page_that_can_be_changed_on_its_way(self) -> None:
        assert self.warnings("https://a.example.com, http://localhost:5173") == []
        assert self.warnings("https://a.example.com, http://b.example.com") == [PLAIN]

    def test_name_secrets_that_do_not_expire(self, public_key: str) -> None:
        origins = "https://a.example.com"
        assert self.warnings(origins, AUTH_API_SECRET="s3cret") == [SECRETS]
        tokens = {"AUTH_JWT_PUBLIC_KEY_PATH": public_key}
        assert self.warnings(origins, AUTH_API_SECRET="s3cret", **tokens) == []
        assert self.warnings("", AUTH_API_SECRET="s3cret") == []
