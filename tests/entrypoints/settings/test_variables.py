"""Each declared variable: the field that it fills, and the error if it is wrong."""

from collections.abc import Mapping
from ipaddress import ip_network
from operator import attrgetter

from domain.rate import Rate
from entrypoints.settings.environment import Setting
from entrypoints.settings.settings import SETTINGS, load_settings
from tests.entrypoints.settings.test_settings import problem

TENANTS = {"s3cret-two": "a", "s3cret-three": "b"}

FIELDS: Mapping[str, tuple[str, str, object]] = {
    "HOST": ("0.0.0.0", "host", "0.0.0.0"),
    "PORT": ("3002", "port", 3002),
    "DOCS_PAGE": ("false", "docs_page", False),
    "METRICS_PORT": ("3003", "metrics.port", 3003),
    "LOG_LEVEL": ("error", "log_level", "error"),
    "LOG_FORMAT": ("console", "log_format", "console"),
    "AUDIT_LOG": ("/s3cret/x", "audit.log", "/s3cret/x"),
    "AUDIT_FSYNC": ("true", "audit.fsync", True),
    "RELOAD_ON_CHANGE": ("true", "reload_on_change", True),
    "TRUSTED_PROXIES": (
        "10.0.0.0/8, 2001:db8::7",
        "proxies.trusted",
        (ip_network("10.0.0.0/8"), ip_network("2001:db8::7")),
    ),
    "CORS_ALLOWED_ORIGINS": (
        "https://a.example.com, http://[::1]:8080",
        "cors.origins",
        {"https://a.example.com", "http://[::1]:8080"},
    ),
    "LIVEKIT_URL": ("wss://x.example.com", "livekit.url", "wss://x.example.com"),
    "LIVEKIT_API_KEY": ("key", "livekit.api_key.name", "key"),
    "LIVEKIT_API_SECRET": ("s3cret-one", "livekit.api_key.secret", "s3cret-one"),
    "LIVEKIT_TIMEOUT_SECONDS": ("11.5", "livekit.timeout_s", 11.5),
    "LIVEKIT_PROBE_DELAY_SECONDS": ("12.5", "livekit.limits.probe_delay_s", 12.5),
    "LIVEKIT_TOKEN_SECONDS": ("13", "livekit.limits.token_life_s", 13),
    "LIVEKIT_MAX_CONNECTIONS": ("14", "livekit.limits.max_connections", 14),
    "LIVEKIT_MAX_ROOMS_PER_READ": ("15", "livekit.limits.max_rooms_per_read", 15),
    "AUTH_REQUIRED": ("false", "auth.required", False),
    "AUTH_API_SECRETS_JSON": (
        '[{"id": "a", "secret": "s3cret-two"}]',
        "auth.api_secrets.tenants",
        TENANTS,
    ),
    "AUTH_API_SECRET": ("s3cret-three", "auth.api_secrets.tenants", TENANTS),
    "AUTH_API_SECRET_ID": ("b", "auth.api_secrets.tenants", TENANTS),
    "AUTH_JWKS_URL": (
        "https://keys.example.com",
        "auth.tokens.jwks_url",
        "https://keys.example.com",
    ),
    "AUTH_JWT_ISSUER": ("issuer", "auth.tokens.rules.issuer", "issuer"),
    "AUTH_JWT_AUDIENCE": ("audience", "auth.tokens.rules.audience", "audience"),
    "AUTH_JWT_AUDIENCE_CLAIM": ("client_id", "auth.tokens.rules.audience_claim", "client_id"),
    "AUTH_JWT_ID_CLAIM": ("claim", "auth.tokens.rules.id_claim", "claim"),
    "AUTH_JWT_LEEWAY_SECONDS": ("16.5", "auth.tokens.rules.leeway_s", 16.5),
    "AUTH_ALLOW_NO_ID": ("true", "auth.allow_no_id", True),
    "AUTH_SERVICE_URL": (
        "https://auth.example.com",
        "auth.service.url",
        "https://auth.example.com",
    ),
    "AUTH_TIMEOUT_SECONDS": ("17.5", "auth.timeout_s", 17.5),
    "AUTH_FAILURE_RATE_LIMIT": (
        "30/minute",
        "auth.failure_rate",
        Rate(quota=30, window_s=60),
    ),
    "WORKERS": ("2", "workers", 2),
    "MAX_CONNECTIONS": ("18", "limits.max_connections", 18),
    "MAX_IN_FLIGHT": ("19", "limits.max_in_flight", 19),
    "MAX_IN_FLIGHT_PER_TENANT": ("7", "limits.max_in_flight_per_tenant", 7),
    "MAX_LINE_BYTES": ("1020", "limits.max_line_bytes", 1020),
    "MAX_BODY_BYTES": ("1021", "limits.max_body_bytes", 1021),
    "MAX_TOKEN_BYTES": ("1022", "limits.max_token_bytes", 1022),
    "MAX_TRACK_SID_CHARACTERS": ("1023", "limits.max_track_sid_characters", 1023),
    "HEADERS_TIMEOUT_SECONDS": ("24.5", "limits.headers_timeout_s", 24.5),
    "BODY_TIMEOUT_SECONDS": ("25.5", "limits.body_timeout_s", 25.5),
    "IDLE_TIMEOUT_SECONDS": ("26.5", "limits.idle_timeout_s", 26.5),
    "REQUEST_TIMEOUT_SECONDS": ("27.5", "limits.request_timeout_s", 27.5),
    "READY_TIMEOUT_SECONDS": ("10.5", "limits.ready_timeout_s", 10.5),
    "LEAVE_DELAY_SECONDS": ("29.5", "limits.leave_delay_s", 29.5),
    "DRAIN_TIMEOUT_SECONDS": ("28.5", "limits.drain_timeout_s", 28.5),
    "RATE_LIMIT_PER_TENANT": ("31/hour", "rates.per_tenant", Rate(quota=31, window_s=3600)),
    "RATE_LIMIT_STORAGE_URL": (
        "redis://:s3cret-four@127.0.0.1:32",
        "rates.storage_url",
        "redis://:s3cret-four@127.0.0.1:32",
    ),
}
"""For each variable: a text unlike all others and the default, the field it sets, its value."""

BOUNDS: Mapping[str, tuple[str, str, str, str]] = {
    "PORT": ("-1", "0", "65535", "65536"),
    "WORKERS": ("0", "1", "256", "257"),
    "METRICS_PORT": ("-1", "0", "65535", "65536"),
    "LIVEKIT_TIMEOUT_SECONDS": ("0", "0.1", "60", "60.1"),
    "LIVEKIT_PROBE_DELAY_SECONDS": ("0", "0.1", "60", "60.1"),
    "LIVEKIT_TOKEN_SECONDS": ("9", "10", "86400", "86401"),
    "LIVEKIT_MAX_CONNECTIONS": ("0", "1", "65536", "65537"),
    "LIVEKIT_MAX_ROOMS_PER_READ": ("0", "1", "16", "17"),
    "AUTH_JWT_LEEWAY_SECONDS": ("-1", "0", "600", "600.1"),
    "AUTH_TIMEOUT_SECONDS": ("0", "0.1", "60", "60.1"),
    "MAX_CONNECTIONS": ("0", "1", "65536", "65537"),
    "MAX_IN_FLIGHT": ("0", "1", "65536", "65537"),
    "MAX_IN_FLIGHT_PER_TENANT": ("0", "1", "65536", "65537"),
    "MAX_LINE_BYTES": ("255", "256", "65536", "65537"),
    "MAX_BODY_BYTES": ("255", "256", "1048576", "1048577"),
    "MAX_TOKEN_BYTES": ("0", "1", "65536", "65537"),
    "MAX_TRACK_SID_CHARACTERS": ("0", "1", "1024", "1025"),
    "HEADERS_TIMEOUT_SECONDS": ("0", "0.1", "300", "300.1"),
    "BODY_TIMEOUT_SECONDS": ("0", "0.1", "300", "300.1"),
    "IDLE_TIMEOUT_SECONDS": ("0", "0.1", "3600", "3600.1"),
    "REQUEST_TIMEOUT_SECONDS": ("0", "0.1", "300", "300.1"),
    "READY_TIMEOUT_SECONDS": ("0", "0.1", "60", "60.1"),
    "LEAVE_DELAY_SECONDS": ("0", "0.1", "300", "300.1"),
    "DRAIN_TIMEOUT_SECONDS": ("0", "0.1", "300", "300.1"),
}
"""For each number: too low, lowest, highest, too high."""

FILES = {"AUTH_JWT_PUBLIC_KEY_PATH", "AUTH_SIGNING_KEY_PATH"}
"""Variables that name a file and do not stand for another variable."""


def declared_settings() -> list[Setting]:
    groups = [group for topic in SETTINGS.values() for group in topic]
    return [setting for group in groups for setting in group.settings.values()]


class TestVariables:
    def test_set_their_own_field(self, signing_key: str) -> None:
        settings = load_settings(
            {name: text for name, (text, _, _) in FIELDS.items()}
            | {"AUTH_SIGNING_KEY_PATH": signing_key}
        )
        found = {name: attrgetter(field)(settings) for name, (_, field, _) in FIELDS.items()}
        assert found == {name: value for name, (_, _, value) in FIELDS.items()}

    def test_are_all_in_the_test_above_or_name_files(self) -> None:
        declared = {one.variable for one in declared_settings()}
        assert declared == set(FIELDS) | FILES

    def test_take_numbers_within_their_bounds(self) -> None:
        keys = {"AUTH_JWKS_URL": "https://keys.example.com"}
        outcome = {
            name: tuple(
                problem({**keys, name: text}).startswith(f"{name}: must be ") for text in texts
            )
            for name, texts in BOUNDS.items()
        }
        assert outcome == dict.fromkeys(BOUNDS, (True, False, False, True))

    def test_are_named_when_they_are_wrong_and_their_values_are_not_shown(self) -> None:
        names = [one.variable for one in declared_settings()]
        names += [one.file for one in declared_settings() if one.file]
        wrong = {}
        for name in names:
            text = problem({name: "s3cret é\n"})
            reason = text.removeprefix(f"{name}: ")
            reasons = (
                "must be ",
                "entry 1: must ",
                "is not JSON",
                "a tenant id is ",
                "the file cannot be read: ",
            )
            if not reason.startswith(reasons) or "s3cret" in text or "\n" in text:
                wrong[name] = text
        assert wrong == {}
