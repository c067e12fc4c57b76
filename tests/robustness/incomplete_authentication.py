"""Settings of an operator who wants authentication, none of which would enable it."""

from collections.abc import Mapping

from entrypoints.settings.auth import AUTHENTICATION
from tests.robustness.broken_settings import PUBLIC_KEY, SIGNING_KEY, Broken, containing

MISSPELLED = (
    "API_SECRET",
    "API_SECRETS_JSON",
    "API_KEY",
    "AHTU_REQUIRED",
    "APP_AUTH_REQUIRED",
    "APP_AUTH_TOKEN",
    "AUTH",
    "AUTH-REQUIRED",
    "AUTHENTICATION_REQUIRED",
    "AUTHORIZATION_REQUIRED",
    "AUTHREQUIRED",
    "AUTH_API_SECERT",
    "AUTH_API_SECRETS",
    "AUTH_API_SECRETS_JSON_FILE",
    "AUTH_API_SECRETS_PATH",
    "AUTH_API_SECRET_",
    "AUTH_API_SECRET_JSON",
    "AUTH_API_SECRET_PATH",
    "AUTH_ENABLED",
    "AUTH_JWKS",
    "AUTH_JWKS_FILE",
    "AUTH_JWKS_URI",
    "AUTH_JWT_PUBLIC_KEY",
    "AUTH_JWT_PUBLIC_KEY_FILE",
    "AUTH_JWT_SECRET",
    "AUTH_KEY",
    "AUTH_MODE",
    "AUTH_PUBLIC_KEY_PATH",
    "AUTH_REQIRED",
    "AUTH_REQUIERD",
    "AUTH_REQUIRE",
    "AUTH_REQUIRED ",
    "AUTH_REQUIRED\n",
    "AUTH_REQUIRED_",
    "AUTH_SECRET",
    "AUTH_SECRETS",
    "AUTH_SERVICE",
    "AUTH_SERVICE_URI",
    "AUTH_SIGNING_KEY",
    "AUTH_SIGNING_KEY_FILE",
    "AUTH_TOKEN",
    "AUTH_URL",
    "AUHT_REQUIRED",
    "Auth_Required",
    "ENABLE_AUTH",
    "IS_AUTH_REQUIRED",
    "JWKS_URL",
    "JWT_ISSUER",
    "JWT_PUBLIC_KEY_PATH",
    "JWT_SECRET",
    "LIVEKIT_AUTH_REQUIRED",
    "LIVEKIT_MUTE_AUTH_REQUIRED",
    "LIVEKIT_MUTE_API_SECRET",
    "MUTE_API_SECRET",
    "OIDC_JWKS_URL",
    "REQUIRE_AUTH",
    "SECRETS_JSON",
    "SERVICE_AUTH_URL",
    "SIGNING_KEY_PATH",
    "USE_AUTH",
    "auth.required",
    "auth_api_secret",
    "auth_required",
)
"""Variables that do not exist."""

INCOMPLETE: Mapping[str, Broken] = {
    "required without a source of identity": Broken("AUTH_REQUIRED", {"AUTH_REQUIRED": "true"}),
    "a tenant without a secret": Broken("AUTH_API_SECRET_ID", {"AUTH_API_SECRET_ID": "s3cret"}),
    "an issuer without keys": Broken("AUTH_JWT_ISSUER", {"AUTH_JWT_ISSUER": "s3cret"}),
    "an audience without keys": Broken("AUTH_JWT_AUDIENCE", {"AUTH_JWT_AUDIENCE": "s3cret"}),
    "a claim without keys": Broken("AUTH_JWT_ID_CLAIM", {"AUTH_JWT_ID_CLAIM": "s3cret"}),
    "leeway without keys": Broken("AUTH_JWT_LEEWAY_SECONDS", {"AUTH_JWT_LEEWAY_SECONDS": "31"}),
    "required, with an empty secret": Broken(
        "AUTH_REQUIRED", {"AUTH_REQUIRED": "true", "AUTH_API_SECRET": ""}
    ),
    "a service without a key": Broken(
        "AUTH_SERVICE_URL", {"AUTH_SERVICE_URL": "https://s3cret.example.com"}
    ),
    "a key without a service": Broken(
        "AUTH_SIGNING_KEY_PATH", {"AUTH_SIGNING_KEY_PATH": SIGNING_KEY}
    ),
    "a timeout without a service": Broken("AUTH_TIMEOUT_SECONDS", {"AUTH_TIMEOUT_SECONDS": "7"}),
    "callers without an id, without a source": Broken(
        "AUTH_ALLOW_NO_ID", {"AUTH_ALLOW_NO_ID": "true"}
    ),
    "only callers with an id, without a source": Broken(
        "AUTH_ALLOW_NO_ID", {"AUTH_ALLOW_NO_ID": "false"}
    ),
    "disabled, with an empty list of secrets": Broken(
        "AUTH_API_SECRETS_FILE",
        {"AUTH_REQUIRED": "false", "AUTH_API_SECRETS_FILE": containing(b"[]")},
    ),
    "a public key as the signing key": Broken(
        "AUTH_SIGNING_KEY_PATH",
        {"AUTH_SIGNING_KEY_PATH": PUBLIC_KEY["AUTH_JWT_PUBLIC_KEY_PATH"]},
    ),
    "a private key as the public key": Broken(
        "AUTH_JWT_PUBLIC_KEY_PATH", {"AUTH_JWT_PUBLIC_KEY_PATH": SIGNING_KEY}
    ),
}

EMPTY = [
    name
    for group in AUTHENTICATION
    for setting in group.settings.values()
    for name in setting.names
]
"""Variables that are set to nothing, with no other one set."""

INCOMPLETE_AUTHENTICATION: Mapping[str, Broken] = {
    **{f"misspelled {name!r}": Broken(name, {name: "s3cret"}) for name in MISSPELLED},
    **{f"an empty {name}": Broken(name, {name: ""}) for name in EMPTY},
    **INCOMPLETE,
}
