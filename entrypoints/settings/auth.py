"""The settings of authentication."""

from attrs import field, frozen

from adapters.identity.api_secrets import ApiSecrets
from adapters.identity.signing_key import SigningKey, parse_signing_key
from domain.rate import Rate
from entrypoints.settings.api_secrets import API_SECRETS
from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.key_files import key_file
from entrypoints.settings.names import NO_SOURCE, reject_auth_like, reject_misspelt
from entrypoints.settings.parsers import boolean, is_secure, seconds, url
from entrypoints.settings.rates import rate
from entrypoints.settings.signed_tokens import (
    CLAIM_RULES,
    JWT,
    KEYS,
    JwtSettings,
    load_jwt_settings,
)

_SECRETS = (
    "AUTH_API_SECRETS_JSON",
    "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRET",
    "AUTH_API_SECRET_FILE",
)
_SOURCES = (*_SECRETS, *KEYS, "AUTH_SERVICE_URL")


@frozen(kw_only=True)
class AuthServiceSettings:
    """The authentication service; a query in its URL may be a secret."""

    url: str = field(repr=False)
    signing_key: SigningKey


@frozen(kw_only=True)
class AuthSettings:
    """Whether callers must authenticate, and each source of identity that is configured.

    ``timeout_s`` is that of one request to the authentication service or the key server;
    ``failure_rate`` is that of failed authentications from one address, if it is limited.
    """

    required: bool
    allow_no_id: bool
    api_secrets: ApiSecrets
    tokens: JwtSettings | None
    service: AuthServiceSettings | None
    timeout_s: float = 5.0
    failure_rate: Rate | None = None

    @property
    def knows_secrets_only(self) -> bool:
        """Whether API secrets, which do not expire, are the only source of identity."""
        return self.required and not (self.tokens or self.service)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that let in more callers than an operator may expect."""
        if not self.required:
            return ("authentication is off: every caller reaches every room",)
        warnings = []
        if self.allow_no_id:
            warnings.append("AUTH_ALLOW_NO_ID is on: callers without an id can reach every room")
        if self.tokens and self.tokens.rules.audience is None:
            warnings.append(
                "AUTH_JWT_AUDIENCE is not set: tokens issued for other services are accepted"
            )
        if self.tokens and self.tokens.public_keys.left_out:
            warnings.append(
                f"AUTH_JWT_PUBLIC_KEY_PATH has unused keys: {self.tokens.public_keys.left_out}"
            )
        if self.service and not is_secure(self.service.url):
            warnings.append(
                "AUTH_SERVICE_URL uses plain HTTP: anyone on the network path can forge its answers"
            )
        return tuple(warnings)


AUTH = SettingGroup(
    AuthSettings,
    {
        "required": Setting(
            "AUTH_REQUIRED",
            boolean,
            "Whether callers must authenticate."
            " Default: `true` if a source of identity is configured, otherwise `false`.",
        ),
    },
)

AUTH_SERVICE = SettingGroup(
    AuthServiceSettings,
    {
        "url": Setting(
            "AUTH_SERVICE_URL",
            url("https", "http", query=True),
            "URL of the authentication service.",
            needs=("AUTH_SIGNING_KEY_PATH",),
        ),
        "signing_key": Setting(
            "AUTH_SIGNING_KEY_PATH",
            key_file("a private key", parse_signing_key),
            "File with the private key, in PEM, that signs requests to the authentication service.",
            needs=("AUTH_SERVICE_URL",),
        ),
    },
)

AUTH_TIMEOUT = SettingGroup(
    AuthSettings,
    {
        "timeout_s": Setting(
            "AUTH_TIMEOUT_SECONDS",
            seconds(60),
            "Timeout of a request to the authentication service, and of fetching the issuer's"
            " key set from its URL, at most 60.",
            used_by=("AUTH_JWKS_URL", "AUTH_SERVICE_URL"),
        ),
    },
)

AUTH_FAILURES = SettingGroup(
    AuthSettings,
    {
        "failure_rate": Setting(
            "AUTH_FAILURE_RATE_LIMIT",
            rate,
            "How many failed authentications (401) a client's address may have: `10/minute`."
            " Beyond it all its requests get 429 `RATE_LIMITED`, also those with a valid token, see"
            " [`docs/rate-limits.md`](docs/rate-limits.md#failed-authentications)."
            " Set `TRUSTED_PROXIES` if there are proxies. Default: no limit.",
        ),
    },
)


AUTHENTICATION = (AUTH, API_SECRETS, JWT, CLAIM_RULES, AUTH_SERVICE, AUTH_TIMEOUT, AUTH_FAILURES)
"""All of them, in the order of docs/settings.md."""


def load_auth_settings(env: Environment, *, demo: bool = False) -> AuthSettings:
    """Read the settings of authentication.

    Raises:
        SettingsError: a variable is wrong, has no effect without another one, or suggests that
            authentication is expected where it would be off; in the ``demo`` the variables of
            other programs suggest nothing.
    """
    rules = env.fill(CLAIM_RULES)
    api_secrets = env.fill(API_SECRETS).merge()
    tokens = load_jwt_settings(env, rules)
    service = env.values(AUTH_SERVICE)
    settings = env.fill(
        AUTH,
        required=bool(api_secrets.tenants or tokens or "url" in service),
        allow_no_id=rules.allow_no_id,
        api_secrets=api_secrets,
        tokens=tokens,
        service=AuthServiceSettings(**service) if "url" in service else None,
        **env.values(AUTH_TIMEOUT),
        **env.values(AUTH_FAILURES),
    )
    if settings.required:
        env.need_one_of(*_SOURCES, by="AUTH_REQUIRED")
        if rules.allow_no_id:
            env.need_one_of(*KEYS, "AUTH_SERVICE_URL", by="AUTH_ALLOW_NO_ID")
    elif not env.is_set("AUTH_REQUIRED"):
        _reject_signs_of_authentication(env, demo=demo)
    return settings


def _reject_signs_of_authentication(env: Environment, *, demo: bool) -> None:
    """Reject variables that suggest that authentication is expected, since it would be off."""
    settings = [one for group in AUTHENTICATION for one in group.settings.values()]
    for name in (name for one in settings for name in one.names if name in env.variables):
        env.need_one_of(*_SOURCES, by=name)
        raise SettingsError(name, f"is empty, and {NO_SOURCE}")
    empty = [name for name, value in env.variables.items() if not value]
    reject_misspelt(dict.fromkeys(empty, "-"), settings)
    if not demo:
        reject_auth_like(env.variables, settings)
