"""The settings of signed tokens."""

from attrs import field, frozen

from adapters.identity.claims import ClaimRules
from adapters.identity.public_keys import PublicKeys, parse_public_keys
from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.key_files import key_file
from entrypoints.settings.parsers import boolean, jwks_url, printable, seconds

KEYS = ("AUTH_JWKS_URL", "AUTH_JWT_PUBLIC_KEY_PATH")


@frozen(kw_only=True)
class JwtSettings:
    """How signed tokens are verified: with the keys at a URL, or those of a file if it is empty."""

    jwks_url: str = field(default="", repr=False)
    public_keys: PublicKeys = field(factory=PublicKeys)
    rules: ClaimRules


JWT = SettingGroup(
    JwtSettings,
    {
        "jwks_url": Setting(
            "AUTH_JWKS_URL",
            jwks_url,
            "URL of the token issuer's key set (JWKS)."
            " It must be `https://`, unless the key server is on this machine.",
        ),
        "public_keys": Setting(
            "AUTH_JWT_PUBLIC_KEY_PATH",
            key_file("a public key", parse_public_keys),
            "File with the issuer's public keys, in PEM or as a JWKS, instead of a URL.",
        ),
    },
)

CLAIM_RULES = SettingGroup(
    ClaimRules,
    {
        "issuer": Setting(
            "AUTH_JWT_ISSUER",
            printable,
            "Required value of `iss`. If not set, `iss` is not checked.",
            needs=KEYS,
        ),
        "audience": Setting(
            "AUTH_JWT_AUDIENCE",
            printable,
            "Required value of `aud`, or one of its values."
            " If not set, tokens issued for other services are accepted.",
            needs=KEYS,
        ),
        "audience_claim": Setting(
            "AUTH_JWT_AUDIENCE_CLAIM",
            printable,
            "Claim that must contain `AUTH_JWT_AUDIENCE`, for tokens without a useful `aud`:"
            " `client_id`, for instance. Then `aud` is not checked.",
            needs=("AUTH_JWT_AUDIENCE",),
        ),
        "id_claim": Setting(
            "AUTH_JWT_ID_CLAIM",
            printable,
            "Claim that contains the tenant id: the claim of exactly this name or, if there is"
            " none, the member at this path (`a.b`) through nested objects.",
            needs=KEYS,
        ),
        "leeway_s": Setting(
            "AUTH_JWT_LEEWAY_SECONDS",
            seconds(600, zero=True),
            "Allowed clock skew between the issuer and this service, at most 600.",
            needs=KEYS,
        ),
        "allow_no_id": Setting(
            "AUTH_ALLOW_NO_ID",
            boolean,
            "Whether to accept signed tokens, and answers of the authentication service,"
            " without a tenant id. Such callers can reach every room.",
            used_by=(*KEYS, "AUTH_SERVICE_URL"),
        ),
    },
)


def load_jwt_settings(env: Environment, rules: ClaimRules) -> JwtSettings | None:
    """Read where the keys are; ``None`` if no variable says so.

    Raises:
        SettingsError: a variable is wrong, or two of them name keys.
    """
    jwt = env.fill(JWT, rules=rules)
    if jwt.jwks_url and jwt.public_keys:
        raise SettingsError("AUTH_JWKS_URL", "AUTH_JWT_PUBLIC_KEY_PATH is set too; set one of them")
    return jwt if jwt.jwks_url or jwt.public_keys else None
