"""Everything that can be set, read from environment variables that are handed in."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen
from yarl import URL

from domain import strict_json
from domain.caller import InvalidTenantIdError, TenantId, tenant_id
from entrypoints.environment import (
    Environment,
    SettingsError,
    boolean,
    integer,
    one_of,
    printable,
    seconds,
)
from entrypoints.http.limits import Limits

_TELLS_OF_AUTHENTICATION = re.compile(
    r"(LIVEKIT_(MUTE_)?)?(REQUIRE[SD]?_)?AUTH($|_|REQ|ENTICATION)|API_SECRET|SECRETS_JSON"
)

GatewayKind = Literal["livekit", "in-memory"]


@frozen(kw_only=True)
class LiveKitSettings:
    """Where LiveKit is; empty where it was not said."""

    url: str
    api_key: str
    api_secret: str = field(repr=False)
    timeout_s: float

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that have to be set before LiveKit can be reached."""
        named = {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key,
            "LIVEKIT_API_SECRET": self.api_secret,
        }
        return tuple(name for name, value in named.items() if not value)


@frozen(kw_only=True)
class AuthSettings:
    """Whether a token is required, and whose each API secret is."""

    required: bool
    tenants: Mapping[str, TenantId] = field(repr=False)


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

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know before the first request."""
        warnings = []
        if not self.auth.required:
            warnings.append("authentication is off: every caller reaches every room")
        if self.gateway == "livekit" and self.livekit.missing:
            missing = ", ".join(self.livekit.missing)
            warnings.append(f"LiveKit is not configured: set {missing}")
        return tuple(warnings)


def load_settings(variables: Mapping[str, str], *, gateway: GatewayKind = "livekit") -> Settings:
    """Read all settings, and refuse to guess.

    Raises:
        SettingsError: a variable is wrong, contradicts another, or looks misspelt.
    """
    env = Environment(variables)
    settings = Settings(
        host=env.read("HOST", _host, "127.0.0.1"),
        port=env.read("PORT", integer(0, 65535), 3001),
        gateway=gateway,
        livekit=_livekit(env),
        auth=_auth(env),
        limits=_limits(env),
        log_level=env.read("LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info"),
        log_format=env.read("LOG_FORMAT", one_of("json", "console"), None),
    )
    if any(len(secret) > settings.limits.max_token_bytes for secret in settings.auth.tenants):
        raise SettingsError("MAX_TOKEN_BYTES", "must not be below the length of an API secret")
    env.refuse_strays(_TELLS_OF_AUTHENTICATION)
    return settings


def _livekit(env: Environment) -> LiveKitSettings:
    return LiveKitSettings(
        url=env.read("LIVEKIT_URL", _livekit_url, ""),
        api_key=env.read("LIVEKIT_API_KEY", printable, ""),
        api_secret=env.read("LIVEKIT_API_SECRET", printable, ""),
        timeout_s=env.read("LIVEKIT_TIMEOUT_SECONDS", seconds(60), 5.0),
    )


def _limits(env: Environment) -> Limits:
    usual = Limits()
    return Limits(
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
    )


def _auth(env: Environment) -> AuthSettings:
    tenants: dict[str, TenantId] = env.read("AUTH_API_SECRETS_JSON", _api_secrets, {})
    secret = env.read("AUTH_API_SECRET", printable, "")
    owner = env.read("AUTH_API_SECRET_ID", _tenant_id, None)
    if secret:
        owner = owner or TenantId("default")
        if tenants.setdefault(secret, owner) != owner:
            raise SettingsError("AUTH_API_SECRET", "AUTH_API_SECRETS_JSON gives it to another id")
    elif owner is not None:
        raise SettingsError("AUTH_API_SECRET_ID", "needs AUTH_API_SECRET to be set too")
    required = env.read("AUTH_REQUIRED", boolean, bool(tenants))
    if required and not tenants:
        raise SettingsError(
            "AUTH_REQUIRED", "needs AUTH_API_SECRET or AUTH_API_SECRETS_JSON to be set too"
        )
    return AuthSettings(required=required, tenants=tenants)


def _api_secrets(value: str) -> dict[str, TenantId]:
    try:
        entries = strict_json.loads(value)
    except strict_json.StrictJsonError as error:
        raise ValueError(str(error)) from None
    if not isinstance(entries, list) or not entries:
        raise ValueError('must be a JSON list like [{"id": "tenant-a", "secret": "..."}]')
    tenants: dict[str, TenantId] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            secret, owner = _api_secret(entry)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        if tenants.setdefault(secret, owner) != owner:
            raise ValueError(f"entry {number}: the same secret has another id before")
    return tenants


def _api_secret(entry: object) -> tuple[str, TenantId]:
    match entry:
        case {"id": str(owner), "secret": str(secret)}:
            try:
                return printable(secret), _tenant_id(owner)
            except ValueError as error:
                raise ValueError(f"id or secret: {error}") from None
        case _:
            raise ValueError('must be an object with the strings "id" and "secret"')


def _tenant_id(value: str) -> TenantId:
    try:
        return tenant_id(value)
    except InvalidTenantIdError as error:
        raise ValueError(str(error)) from None


def _host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
            raise ValueError("must be an IP address or a host name") from None
        return value


def _livekit_url(value: str) -> str:
    problem = ValueError(
        "must be a ws://, wss://, http:// or https:// URL without a user, a query or a fragment"
    )
    printable(value)
    try:
        url = URL(value)
        bare = url.with_user(None).with_query(None).with_fragment(None)
        valid = url.scheme in ("ws", "wss", "http", "https") and url.host and url.port
    except ValueError:
        raise problem from None
    if not valid or url != bare or value.endswith(("?", "#")):
        raise problem
    return value
