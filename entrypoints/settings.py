"""Everything that can be set, read from environment variables that are handed in."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from attrs import frozen

from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from entrypoints.auth_settings import AuthSettings, load_auth_settings
from entrypoints.environment import Environment, SettingsError
from entrypoints.http.limits import Limits
from entrypoints.parsers import host, integer, one_of, printable, seconds, url

_TELLS_OF_AUTHENTICATION = re.compile(
    r"((LIVEKIT|MUTE|SAYNA|APP|SERVICE|IS|NO|USE|ENABLE|DISABLE|REQUIRE[SD]?)_)*"
    r"(AUTH($|_|REQ|ENTICATION|ORIZATION|SECRET|TOKEN|KEY|MODE|ENABLED|SERVICE|Z_)"
    r"|API_SECRET|SECRETS_JSON|TENANT_SECRET|ALLOW_NO_ID|SIGNING_KEY"
    r"|JWKS_|JWT_(PUBLIC|ISSUER|AUDIENCE|JWKS|SECRET|KEY|ID_CLAIM))"
)

GatewayKind = Literal["livekit", "in-memory"]


@frozen(kw_only=True)
class LiveKitSettings:
    """Where LiveKit is; empty where it was not said."""

    url: str
    api_key: ApiKey
    bounds: Bounds

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that have to be set before LiveKit can be reached."""
        named = {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key.name,
            "LIVEKIT_API_SECRET": self.api_key.secret,
        }
        return tuple(name for name, value in named.items() if not value)


@frozen(kw_only=True)
class Settings:
    """What the program was told."""

    host: str
    port: int
    gateway: GatewayKind
    livekit: LiveKitSettings
    auth: AuthSettings
    limits: Limits
    log_level: str
    log_format: str | None

    @cached_property
    def secrets(self) -> frozenset[str]:
        """By which callers, and we, are known."""
        return frozenset({self.livekit.api_key.secret, *self.auth.api_secrets.tenants} - {""})

    @property
    def max_descriptors(self) -> int:
        """How many files and connections may be open at once, with some to spare."""
        upstream = self.livekit.bounds.max_connections + self.limits.max_in_flight
        return self.limits.max_connections + upstream + 512

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know before the first request."""
        warnings = [*self.auth.warnings]
        if self.gateway == "livekit" and self.livekit.missing:
            missing = ", ".join(self.livekit.missing)
            warnings.append(f"LiveKit is not configured: set {missing}")
        shares = {
            "LIVEKIT_TIMEOUT_SECONDS": self.livekit.bounds.timeout_s,
            "AUTH_TIMEOUT_SECONDS": self.auth.service.timeout_s if self.auth.service else 0.0,
        }
        warnings += [
            f"{name} is cut short by REQUEST_TIMEOUT_SECONDS"
            for name, share_s in shares.items()
            if share_s > self.limits.request_timeout_s
        ]
        return tuple(warnings)


def load_settings(variables: Mapping[str, str], *, gateway: GatewayKind = "livekit") -> Settings:
    """Read all settings, and refuse to guess.

    Raises:
        SettingsError: a variable is wrong, contradicts another, or looks misspelt.
    """
    env = Environment(variables)
    livekit = _livekit(env)
    auth = load_auth_settings(env)
    settings = Settings(
        host=env.read("HOST", host, "127.0.0.1"),
        port=env.read("PORT", integer(0, 65535), 3001),
        gateway=gateway,
        livekit=livekit,
        auth=auth,
        limits=_limits(env),
        log_level=env.read("LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info"),
        log_format=env.read("LOG_FORMAT", one_of("json", "console"), None),
    )
    longest = max(map(len, auth.api_secrets.tenants), default=0)
    if longest > settings.limits.max_token_bytes:
        raise SettingsError("MAX_TOKEN_BYTES", "must not be below the length of an API secret")
    env.refuse_strays(_TELLS_OF_AUTHENTICATION)
    return settings


def _livekit(env: Environment) -> LiveKitSettings:
    usual = Bounds()
    return LiveKitSettings(
        url=env.read("LIVEKIT_URL", url("ws", "wss", "http", "https"), ""),
        api_key=ApiKey(
            name=env.read_secret("LIVEKIT_API_KEY", printable, ""),
            secret=env.read_secret("LIVEKIT_API_SECRET", printable, ""),
        ),
        bounds=Bounds(
            max_connections=env.read(
                "LIVEKIT_MAX_CONNECTIONS", integer(1, 65536), usual.max_connections
            ),
            max_rooms_per_read=env.read(
                "LIVEKIT_MAX_ROOMS_PER_READ", integer(1, 16), usual.max_rooms_per_read
            ),
            probe_delay_s=env.read("LIVEKIT_PROBE_DELAY_SECONDS", seconds(60), usual.probe_delay_s),
            timeout_s=env.read("LIVEKIT_TIMEOUT_SECONDS", seconds(60), usual.timeout_s),
            token_life_s=env.read("LIVEKIT_TOKEN_SECONDS", integer(10, 86_400), usual.token_life_s),
        ),
    )


def _limits(env: Environment) -> Limits:
    usual = Limits()
    return Limits(
        max_connections=env.read("MAX_CONNECTIONS", integer(1, 65536), usual.max_connections),
        max_in_flight=env.read("MAX_IN_FLIGHT", integer(1, 65536), usual.max_in_flight),
        max_line_bytes=env.read("MAX_LINE_BYTES", integer(256, 65536), usual.max_line_bytes),
        max_body_bytes=env.read("MAX_BODY_BYTES", integer(256, 1 << 20), usual.max_body_bytes),
        max_token_bytes=env.read("MAX_TOKEN_BYTES", integer(1, 65536), usual.max_token_bytes),
        max_track_sid_characters=env.read(
            "MAX_TRACK_SID_CHARACTERS", integer(1, 1024), usual.max_track_sid_characters
        ),
        headers_timeout_s=env.read(
            "HEADERS_TIMEOUT_SECONDS", seconds(300), usual.headers_timeout_s
        ),
        body_timeout_s=env.read("BODY_TIMEOUT_SECONDS", seconds(300), usual.body_timeout_s),
        idle_timeout_s=env.read("IDLE_TIMEOUT_SECONDS", seconds(3600), usual.idle_timeout_s),
        drain_timeout_s=env.read("DRAIN_TIMEOUT_SECONDS", seconds(300), usual.drain_timeout_s),
        request_timeout_s=env.read(
            "REQUEST_TIMEOUT_SECONDS", seconds(300), usual.request_timeout_s
        ),
    )
