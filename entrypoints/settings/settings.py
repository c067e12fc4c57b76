"""All settings of the service."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from attrs import frozen

from entrypoints.http.limits import Limits
from entrypoints.settings.api_secrets import API_SECRETS
from entrypoints.settings.auth import (
    AUTH,
    AUTH_SERVICE,
    AUTH_TIMEOUT,
    CLAIM_RULES,
    JWT,
    AuthSettings,
    load_auth_settings,
)
from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.limits import LIMITS
from entrypoints.settings.livekit import (
    LIVEKIT,
    LIVEKIT_API_KEY,
    LIVEKIT_LIMITS,
    LiveKitSettings,
    load_livekit_settings,
)
from entrypoints.settings.parsers import host, integer, one_of

AUTH_LIKE_NAME = re.compile(
    r"((LIVEKIT|MUTE|SAYNA|APP|SERVICE|IS|NO|USE|ENABLE|DISABLE|REQUIRE[SD]?)_)*"
    r"(AUTH($|_|REQ|ENTICATION|ORIZATION|SECRET|TOKEN|KEY|MODE|ENABLED|SERVICE|Z_)"
    r"|API_SECRET|SECRETS_JSON|TENANT_SECRET|ALLOW_NO_ID|SIGNING_KEY"
    r"|JWKS_|JWT_(PUBLIC|ISSUER|AUDIENCE|JWKS|SECRET|KEY|ID_CLAIM))"
)

GatewayKind = Literal["livekit", "in-memory"]


@frozen(kw_only=True)
class Settings:
    """All settings of the service."""

    host: str = "127.0.0.1"
    port: int = 3001
    gateway: GatewayKind
    livekit: LiveKitSettings
    auth: AuthSettings
    limits: Limits
    log_level: str = "info"
    log_format: str | None = None

    @cached_property
    def secrets(self) -> frozenset[str]:
        """All secret values, for redaction."""
        return frozenset({self.livekit.api_key.secret, *self.auth.api_secrets.tenants} - {""})

    @property
    def max_descriptors(self) -> int:
        """How many files and connections may be open at once, with some to spare."""
        upstream = self.livekit.limits.max_connections + self.limits.max_in_flight
        return self.limits.max_connections + upstream + 512

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that an operator should check before the first request."""
        warnings = [*self.auth.warnings]
        if self.gateway == "livekit" and self.livekit.missing:
            missing = ", ".join(self.livekit.missing)
            warnings.append(f"LiveKit is not configured: set {missing}")
        timeouts = {
            "LIVEKIT_TIMEOUT_SECONDS": self.livekit.timeout_s,
            "AUTH_TIMEOUT_SECONDS": self.auth.timeout_s if self.auth.service else 0.0,
        }
        warnings += [
            f"{name} is longer than REQUEST_TIMEOUT_SECONDS, which applies first"
            for name, timeout_s in timeouts.items()
            if timeout_s > self.limits.request_timeout_s
        ]
        return tuple(warnings)


SERVER = SettingGroup(
    Settings,
    {
        "host": Setting("HOST", host, "Address to listen on."),
        "port": Setting("PORT", integer(0, 65535), "Port to listen on; 0 chooses a free one."),
        "log_level": Setting(
            "LOG_LEVEL",
            one_of("debug", "info", "warning", "error"),
            "`debug`, `info`, `warning` or `error`. Above `info` the audit log is incomplete.",
        ),
        "log_format": Setting(
            "LOG_FORMAT",
            one_of("json", "console"),
            "`json` or `console`. Default: `console` on a terminal, otherwise `json`.",
        ),
    },
)

SETTINGS: Mapping[str, tuple[SettingGroup[Any], ...]] = {
    "Server": (SERVER,),
    "LiveKit": (LIVEKIT, LIVEKIT_API_KEY, LIVEKIT_LIMITS),
    "Authentication": (AUTH, API_SECRETS, JWT, CLAIM_RULES, AUTH_SERVICE, AUTH_TIMEOUT),
    "Limits and timeouts": (LIMITS,),
}
"""All settings, in the order of the README."""


def load_settings(variables: Mapping[str, str], *, gateway: GatewayKind = "livekit") -> Settings:
    """Read all settings from environment variables.

    Raises:
        SettingsError: a variable is wrong, contradicts another one, or looks misspelt.
    """
    env = Environment(variables)
    settings = env.fill(
        SERVER,
        gateway=gateway,
        livekit=load_livekit_settings(env),
        auth=load_auth_settings(env),
        limits=env.fill(LIMITS),
    )
    longest = max(map(len, settings.auth.api_secrets.tenants), default=0)
    if longest > settings.limits.max_token_bytes:
        raise SettingsError(
            "MAX_TOKEN_BYTES", "must not be below the length of the longest API secret"
        )
    env.reject_unknown_variables(AUTH_LIKE_NAME)
    return settings
