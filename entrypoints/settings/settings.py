"""All settings of the service."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from entrypoints.http.limits import Limits
from entrypoints.settings.audit import AUDIT, AuditSettings, load_audit_settings
from entrypoints.settings.auth import AUTHENTICATION, AuthSettings, load_auth_settings
from entrypoints.settings.cors import CORS, CorsSettings
from entrypoints.settings.effects import without_effect
from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.files import FileVersions, versions_of
from entrypoints.settings.limits import LIMITS
from entrypoints.settings.livekit import LIVEKIT_GROUPS, load_livekit_settings
from entrypoints.settings.metrics import METRICS, MetricsSettings
from entrypoints.settings.names import reject_misspelt
from entrypoints.settings.parsers import boolean, host, integer, is_secure, one_of
from entrypoints.settings.proxies import PROXIES, ProxySettings
from entrypoints.settings.rates import RATES, RateLimitSettings, load_rate_settings
from entrypoints.settings.rooms import GatewayKind, RoomSettings


@frozen(kw_only=True)
class Settings(RoomSettings):
    """All settings of the service."""

    host: str = "127.0.0.1"
    port: int = 3001
    workers: int = 1
    docs_page: bool = True
    auth: AuthSettings
    limits: Limits
    rates: RateLimitSettings
    proxies: ProxySettings
    cors: CorsSettings
    metrics: MetricsSettings
    audit: AuditSettings
    log_level: str = "info"
    log_format: str | None = None
    reload_on_change: bool = False
    files: FileVersions = field(factory=dict, eq=False, repr=False)
    """The files that the settings name, as they were just before they were read."""
    without_effect: tuple[str, ...] = field(default=(), eq=False)
    """Variables that are set and have no effect, each with the reason."""

    @cached_property
    def secrets(self) -> frozenset[str]:
        """All secret values, for redaction."""
        secrets = {self.livekit.api_key.secret, *self.auth.api_secrets.tenants}
        return frozenset(secrets - {""}) | self.rates.secrets

    @property
    def max_descriptors(self) -> int:
        """How many files and connections may be open at once, with some to spare."""
        upstream = self.livekit.limits.max_connections + self.limits.max_admitted
        return self.limits.max_connections + upstream + 1024

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that an operator should check before the first request."""
        warnings = [*self.auth.warnings, *self._cors_warnings]
        if self.gateway == "livekit" and self.livekit.missing:
            missing = ", ".join(self.livekit.missing)
            warnings.append(f"LiveKit is not configured: set {missing}")
        if self.gateway == "livekit":
            warnings += self.livekit.warnings
        if self.reload_on_change and not self.files:
            warnings.append("RELOAD_ON_CHANGE has no effect: no setting names a file")
        warnings += [
            f"WORKERS is larger than {name}: each worker has at least 1, so the whole is exceeded"
            for name, bound in self._split.items()
            if self.workers > bound
        ]
        return (*warnings, *self.without_effect)

    @property
    def _cors_warnings(self) -> Iterator[str]:
        if not all(map(is_secure, self.cors.origins)):
            yield (
                "CORS_ALLOWED_ORIGINS has an origin with plain HTTP: anyone on the network path of"
                " its pages can change what they send"
            )
        if self.cors.origins and self.auth.knows_secrets_only:
            yield (
                "CORS_ALLOWED_ORIGINS is set, and API secrets alone identify callers: whoever opens"
                " a page that has one can read it; use signed tokens"
            )

    @property
    def _split(self) -> Mapping[str, int]:
        """The bounds that are split among workers, but for the share of a tenant."""
        return {
            "MAX_CONNECTIONS": self.limits.max_connections,
            "MAX_IN_FLIGHT": self.limits.max_in_flight,
            "LIVEKIT_MAX_CONNECTIONS": self.livekit.limits.max_connections,
        }


SERVER = SettingGroup(
    Settings,
    {
        "host": Setting(
            "HOST",
            host,
            "Address to listen on. `0.0.0.0` is every IPv4 address, `::` every address of IPv6 and"
            " IPv4. A name stands for all its addresses that this machine has.",
        ),
        "port": Setting("PORT", integer(0, 65535), "Port to listen on; 0 chooses a free one."),
        "workers": Setting(
            "WORKERS",
            integer(1, 256),
            "Number of processes that serve, each on a core of its own, see"
            " [`docs/workers.md`](docs/workers.md). Limits are those of all together.",
        ),
        "docs_page": Setting(
            "DOCS_PAGE",
            boolean,
            "Whether `/docs` is a page that shows the API and sends requests, and `/openapi.json`"
            " and `/openapi.yaml` are the API document.",
        ),
        "log_level": Setting(
            "LOG_LEVEL",
            one_of("debug", "info", "warning", "error"),
            "`debug`, `info`, `warning` or `error`. Above `info` the audit trail in the log is"
            " incomplete.",
        ),
        "log_format": Setting(
            "LOG_FORMAT",
            one_of("json", "console"),
            "`json` or `console`. Default: `console` on a terminal, otherwise `json`.",
        ),
        "reload_on_change": Setting(
            "RELOAD_ON_CHANGE",
            boolean,
            "Whether the files that settings name are read again when they change, as on SIGHUP,"
            " see [`docs/operation.md`](docs/operation.md#reload).",
        ),
    },
)

SETTINGS: Mapping[str, tuple[SettingGroup[Any], ...]] = {
    "Server": (SERVER, AUDIT, METRICS, PROXIES, CORS),
    "LiveKit": LIVEKIT_GROUPS,
    "Authentication": AUTHENTICATION,
    "Limits and timeouts": (LIMITS, RATES),
}
"""All settings, in the order of docs/settings.md."""


def load_settings(variables: Mapping[str, str], *, gateway: GatewayKind = "livekit") -> Settings:
    """Read all settings from environment variables.

    Raises:
        SettingsError: a variable is wrong, contradicts another one, or looks misspelt.
    """
    groups = [group for groups in SETTINGS.values() for group in groups]
    declared = [one for group in groups for one in group.settings.values()]
    reject_misspelt(variables, declared)
    named = [one.path_variable for one in declared if one.path_variable]
    files = versions_of(path for name in named if (path := variables.get(name)))
    env, demo = Environment(variables), gateway == "in-memory"
    auth, livekit = load_auth_settings(env, demo=demo), load_livekit_settings(env)
    limits = env.fill(LIMITS)
    longest = max(map(len, auth.api_secrets.tenants), default=0)
    if longest > limits.max_token_bytes:
        raise SettingsError(
            "MAX_TOKEN_BYTES", "must not be below the length of the longest API secret"
        )
    return env.fill(
        SERVER,
        gateway=gateway,
        livekit=livekit,
        auth=auth,
        limits=limits,
        rates=load_rate_settings(env),
        files=files,
        proxies=env.fill(PROXIES),
        cors=env.fill(CORS),
        metrics=env.fill(METRICS),
        audit=load_audit_settings(env),
        without_effect=without_effect(env, auth, livekit, limits, demo=demo),
    )
