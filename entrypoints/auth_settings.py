"""Where callers' identities come from, as the environment says."""

from attrs import field, frozen

from adapters.identity.api_secrets import ApiSecrets
from adapters.identity.claims import ClaimRules
from adapters.identity.public_keys import PublicKeys, parse_public_keys
from adapters.identity.signing_key import SigningKey, parse_signing_key
from domain import strict_json
from domain.caller import InvalidTenantIdError, TenantId, tenant_id
from entrypoints.environment import Environment, SettingsError
from entrypoints.parsers import boolean, is_secure, printable, seconds, url

_SECRETS = (
    "AUTH_API_SECRETS_JSON",
    "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRET",
    "AUTH_API_SECRET_FILE",
)
_KEYS = ("AUTH_JWKS_URL", "AUTH_JWT_PUBLIC_KEY_PATH")
_SOURCES = (*_SECRETS, *_KEYS, "AUTH_SERVICE_URL")


@frozen(kw_only=True)
class TokenSettings:
    """Whose signed tokens are taken: keys from a URL, or from a file where that is empty."""

    jwks_url: str = field(repr=False)
    public_keys: PublicKeys
    rules: ClaimRules


@frozen(kw_only=True)
class ServiceSettings:
    """Which authentication service is asked; a query in its URL may be a secret."""

    url: str = field(repr=False)
    signing_key: SigningKey
    timeout_s: float


@frozen(kw_only=True)
class AuthSettings:
    """Whether a token is required, and each source of identity that is configured."""

    required: bool
    allow_no_id: bool
    api_secrets: ApiSecrets
    tokens: TokenSettings | None
    service: ServiceSettings | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know of who will be let in."""
        if not self.required:
            return ("authentication is off: every caller reaches every room",)
        warnings = []
        if self.allow_no_id:
            warnings.append("callers without an id reach every room: AUTH_ALLOW_NO_ID is on")
        if self.tokens and self.tokens.rules.audience is None:
            warnings.append("tokens that are meant for others are taken: set AUTH_JWT_AUDIENCE")
        if self.service and not is_secure(self.service.url):
            warnings.append("AUTH_SERVICE_URL is not https: the network decides who is let in")
        return tuple(warnings)


def load_auth_settings(env: Environment) -> AuthSettings:
    """Read the settings of authentication.

    Raises:
        SettingsError: a variable is wrong, or does nothing without another.
    """
    allow_no_id = env.read("AUTH_ALLOW_NO_ID", boolean, default=False)
    env.need_one_of(*_SOURCES, by="AUTH_ALLOW_NO_ID")
    if allow_no_id:
        env.need_one_of(*_KEYS, "AUTH_SERVICE_URL", by="AUTH_ALLOW_NO_ID")
    api_secrets = _api_secrets(env)
    tokens = _tokens(env, allow_no_id=allow_no_id)
    service = _service(env)
    required = env.read("AUTH_REQUIRED", boolean, bool(api_secrets.tenants or tokens or service))
    if required:
        env.need_one_of(*_SOURCES, by="AUTH_REQUIRED")
    return AuthSettings(
        required=required,
        allow_no_id=allow_no_id,
        api_secrets=api_secrets,
        tokens=tokens,
        service=service,
    )


def _api_secrets(env: Environment) -> ApiSecrets:
    tenants: dict[str, TenantId] = env.read_secret(
        "AUTH_API_SECRETS_JSON", _parse_api_secrets, {}, file="AUTH_API_SECRETS_FILE"
    )
    secret = env.read_secret("AUTH_API_SECRET", printable, "")
    owner = env.read("AUTH_API_SECRET_ID", _parse_tenant_id, TenantId("default"))
    env.need_one_of("AUTH_API_SECRET", "AUTH_API_SECRET_FILE", by="AUTH_API_SECRET_ID")
    if secret and tenants.setdefault(secret, owner) != owner:
        raise SettingsError("AUTH_API_SECRET", "AUTH_API_SECRETS_JSON gives it to another id")
    return ApiSecrets(tenants)


def _tokens(env: Environment, *, allow_no_id: bool) -> TokenSettings | None:
    usual = ClaimRules()
    settings = TokenSettings(
        jwks_url=env.read("AUTH_JWKS_URL", _parse_jwks_url, ""),
        public_keys=env.read_file("AUTH_JWT_PUBLIC_KEY_PATH", parse_public_keys, PublicKeys()),
        rules=ClaimRules(
            issuer=env.read("AUTH_JWT_ISSUER", printable, None),
            audience=env.read("AUTH_JWT_AUDIENCE", printable, None),
            id_claim=env.read("AUTH_JWT_ID_CLAIM", printable, usual.id_claim),
            leeway_s=env.read("AUTH_JWT_LEEWAY_SECONDS", seconds(600, zero=True), usual.leeway_s),
            allow_no_id=allow_no_id,
        ),
    )
    for name in ("ISSUER", "AUDIENCE", "ID_CLAIM", "LEEWAY_SECONDS"):
        env.need_one_of(*_KEYS, by=f"AUTH_JWT_{name}")
    if settings.jwks_url and settings.public_keys:
        raise SettingsError("AUTH_JWKS_URL", "AUTH_JWT_PUBLIC_KEY_PATH is set too; set one of them")
    return settings if settings.jwks_url or settings.public_keys else None


def _service(env: Environment) -> ServiceSettings | None:
    address = env.read("AUTH_SERVICE_URL", url("https", "http", query=True), "")
    signing_key = env.read_file("AUTH_SIGNING_KEY_PATH", parse_signing_key, None)
    timeout_s = env.read("AUTH_TIMEOUT_SECONDS", seconds(60), 5.0)
    env.need_one_of("AUTH_SIGNING_KEY_PATH", by="AUTH_SERVICE_URL")
    env.need_one_of("AUTH_SERVICE_URL", by="AUTH_SIGNING_KEY_PATH")
    env.need_one_of(*_SOURCES, by="AUTH_TIMEOUT_SECONDS")
    if signing_key is None:
        return None
    return ServiceSettings(url=address, signing_key=signing_key, timeout_s=timeout_s)


def _parse_jwks_url(value: str) -> str:
    if not is_secure(url("https", "http", query=True)(value)):
        raise ValueError("must be https://, unless the key server is on this machine")
    return value


def _parse_api_secrets(value: str) -> dict[str, TenantId]:
    try:
        entries = strict_json.loads(value)
    except strict_json.StrictJsonError as error:
        raise ValueError(str(error)) from None
    if not isinstance(entries, list) or not entries:
        raise ValueError('must be a JSON list like [{"id": "tenant-a", "secret": "..."}]')
    tenants: dict[str, TenantId] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            secret, owner = _parse_api_secret(entry)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        if tenants.setdefault(secret, owner) != owner:
            raise ValueError(f"entry {number}: the same secret has another id before")
    return tenants


def _parse_api_secret(entry: object) -> tuple[str, TenantId]:
    match entry:
        case {"id": str(owner), "secret": str(secret)}:
            try:
                return printable(secret), _parse_tenant_id(owner)
            except ValueError as error:
                raise ValueError(f"id or secret: {error}") from None
        case _:
            raise ValueError('must be an object with the strings "id" and "secret"')


def _parse_tenant_id(value: str) -> TenantId:
    try:
        return tenant_id(value)
    except InvalidTenantIdError as error:
        raise ValueError(str(error)) from None
