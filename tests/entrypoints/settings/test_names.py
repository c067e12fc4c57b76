"""Names of variables that are no settings."""

import re
from collections.abc import Iterator, Mapping

from entrypoints.settings.settings import SETTINGS
from tests.entrypoints.settings.test_settings import LIVEKIT, problem, problem_of
from tests.support.imports import PROJECT

SOURCE = {**LIVEKIT, "AUTH_API_SECRET": "s3cret-of-a-tenant"}
OFF = {"AUTH_REQUIRED": "false"}
DECLARED = [
    setting
    for groups in SETTINGS.values()
    for group in groups
    for setting in group.settings.values()
]
NAMES = [name for setting in DECLARED for name in setting.names]

MISSPELT: Mapping[str, str] = {
    "AUTH_REQIRED": "AUTH_REQUIRED",
    "AUTH_REQUIERD": "AUTH_REQUIRED",
    "AUTHREQUIRED": "AUTH_REQUIRED",
    "AHTU_REQUIRED": "AUTH_REQUIRED",
    "auth_required": "AUTH_REQUIRED",
    "Auth.Required": "AUTH_REQUIRED",
    "AUTH-JWKS-URL": "AUTH_JWKS_URL",
    "AUTH__REQUIRED": "AUTH_REQUIRED",
    "AUTH_REQUIRED ": "AUTH_REQUIRED",
    "\ufeffAUTH_REQUIRED": "AUTH_REQUIRED",
    "LIVEKIT_URI": "LIVEKIT_URL",
    "LIVEKITURL": "LIVEKIT_URL",
    "LOG_LEVELS": "LOG_LEVEL",
    "MAX_CONNECTION": "MAX_CONNECTIONS",
    "LIVEKT_MAX_CONNECTIONS": "LIVEKIT_MAX_CONNECTIONS",
    # singular and plural, and the type of the value at the end
    "AUTH_API_SECRETS": "AUTH_API_SECRETS_JSON",
    "AUTH_API_SECRET_JSON": "AUTH_API_SECRETS_JSON",
    "AUTH_API_SECRETS_ID": "AUTH_API_SECRET_ID",
    "AUTH_JWKS": "AUTH_JWKS_URL",
    "AUTH_JWKS_URI": "AUTH_JWKS_URL",
    "AUTH_SERVICE": "AUTH_SERVICE_URL",
    "AUTH_SIGNING_KEY": "AUTH_SIGNING_KEY_PATH",
    "AUTH_SIGNING_KEYS": "AUTH_SIGNING_KEY_PATH",
    "AUTH_JWT_PUBLIC_KEY": "AUTH_JWT_PUBLIC_KEY_PATH",
    "AUTH_JWT_PUBLIC_KEYS_PATH": "AUTH_JWT_PUBLIC_KEY_PATH",
    "AUTH_JWT_LEEWAY": "AUTH_JWT_LEEWAY_SECONDS",
    "AUTH_TIMEOUT": "AUTH_TIMEOUT_SECONDS",
    # files
    "AUTH_API_SECRETS_JSON_FILE": "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRETS_JSON_PATH": "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRETS_PATH": "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRET_PATH": "AUTH_API_SECRET_FILE",
    "auth_api_secret_file": "AUTH_API_SECRET_FILE",
    "AUTH_SIGNING_KEY_FILE": "AUTH_SIGNING_KEY_PATH",
    "AUTH_JWT_PUBLIC_KEY_FILE": "AUTH_JWT_PUBLIC_KEY_PATH",
    "AUTH_JWKS_FILE": "AUTH_JWT_PUBLIC_KEY_PATH",
    "LIVEKIT_API_SECRET_PATH": "LIVEKIT_API_SECRET_FILE",
    "LIVEKIT_API_SECRETS_FILE": "LIVEKIT_API_SECRET_FILE",
}
"""Names that are almost ours, and the setting that is meant."""

OF_AUTHENTICATION: Mapping[str, str] = {
    "API_KEY": "",
    "API_KEYS_FILE": "",
    "API_SECRET": "AUTH_API_SECRET",
    "API_SECRETS": "AUTH_API_SECRETS_JSON",
    "API_SECRETS_JSON": "AUTH_API_SECRETS_JSON",
    "API_TOKEN": "",
    "APP_AUTH_REQUIRED": "AUTH_REQUIRED",
    "APP_AUTH_TOKEN": "",
    "AUTH": "",
    "AUTH0_DOMAIN": "",
    "AUTHENABLED": "",
    "AUTHENTICATION_REQUIRED": "",
    "AUTHKEY": "",
    "AUTHMODE": "",
    "AUTHORIZATION_REQUIRED": "",
    "AUTHREQ": "",
    "AUTHSECRET": "",
    "AUTHTOKEN": "",
    "AUTHZ_URL": "",
    "AUTH_AUDIENCE": "AUTH_JWT_AUDIENCE",
    "AUTH_MODE": "",
    "AUTH_SECRET": "AUTH_API_SECRET",
    "AUTH_SECRETS": "AUTH_API_SECRETS_JSON",
    "AUTH_TOKEN": "",
    "AUTH_URL": "",
    "ALLOW_NO_ID": "AUTH_ALLOW_NO_ID",
    "BEARER_TOKEN": "",
    "DISABLE_AUTH": "",
    "ENABLE_AUTH": "",
    "IS_AUTH_REQUIRED": "AUTH_REQUIRED",
    "JWKS_URL": "AUTH_JWKS_URL",
    "JWT_AUDIENCE": "AUTH_JWT_AUDIENCE",
    "JWT_ISSUER": "AUTH_JWT_ISSUER",
    "JWT_JWKS_URL": "",
    "JWT_KEY_PATH": "",
    "JWT_PUBLIC_KEY_PATH": "AUTH_JWT_PUBLIC_KEY_PATH",
    "JWT_SECRET": "",
    "LIVEKIT_AUTH_REQUIRED": "AUTH_REQUIRED",
    "LIVEKIT_MUTE_API_SECRET": "AUTH_API_SECRET",
    "LIVEKIT_MUTE_AUTH_REQUIRED": "AUTH_REQUIRED",
    "MUTE_API_SECRET": "AUTH_API_SECRET",
    "NO_AUTH": "",
    "OAUTH_JWKS_URL": "AUTH_JWKS_URL",
    "OAUTH2_CLIENT_SECRET": "",
    "OIDC_ISSUER_URL": "",
    "OIDC_JWKS_URL": "AUTH_JWKS_URL",
    "REQUIRE_AUTH": "",
    "SAYNA_API_SECRET": "AUTH_API_SECRET",
    "SECRETS_JSON": "AUTH_API_SECRETS_JSON",
    "SERVICE_AUTH_REQUIRED": "AUTH_REQUIRED",
    "SERVICE_AUTH_URL": "",
    "SIGNING_KEY_PATH": "AUTH_SIGNING_KEY_PATH",
    "TENANT_SECRETS": "",
    "USE_AUTH": "",
    "jwt.secret": "",
}
"""Names by which other programs ask for authentication, and the setting that may be meant."""

OF_OTHERS = (
    "PATH",
    "HOSTNAME",
    "HOSTS",
    "HOST_FILE",
    "PORT_FILE",
    "LIVEKIT_CONFIG",
    "LIVEKIT_KEYS",
    "LIVEKIT_TOKEN",
    "LIVEKIT_WS_URL",
    "NEXT_PUBLIC_LIVEKIT_URL",
    "DB_LOG_LEVEL",
    "DB_HEADERS_TIMEOUT_SECONDS",
    "DB_MAX_CONNECTIONS",
    "MAX_FILE_BYTES",
    "AUTHOR",
    "SSH_AUTH_SOCK",
    "NPM_AUTH_TOKEN",
    "OPENAI_API_KEY",
    "JWT_EXPIRES_IN",
    "SECRET_KEY",
)


def misspellings(name: str) -> Iterator[str]:
    """Leave out a letter of a name, or swap two."""
    for at, letter in enumerate(name):
        yield name[:at] + name[at + 1 :]
        yield name[:at] + name[at + 1 : at + 2] + letter + name[at + 2 :]


class TestMisspeltNames:
    def test_stop_the_start_with_the_name_that_is_meant(self) -> None:
        texts = {name: problem({**SOURCE, name: "s3cret"}) for name in MISSPELT}
        assert texts == {
            name: f"{name if name.isprintable() else ascii(name)}:"
            f" unknown setting; did you mean {meant}?"
            for name, meant in MISSPELT.items()
        }

    def test_stop_the_start_whatever_else_is_set(self) -> None:
        wrong = {
            (name, *others): text
            for name in MISSPELT
            for others in ({}, OFF, SOURCE)
            for gateway in ("livekit", "in-memory")
            if "did you mean"
            not in (text := problem_of({**others, name: "s3cret"}, gateway=gateway))
        }
        assert wrong == {}

    def test_have_one_letter_wrong(self) -> None:
        twins = {  # a letter less is the other one's name
            "AUTH_API_SECRET_SFILE": "AUTH_API_SECRET_FILE",
            "AUTH_API_SECREST_FILE": "AUTH_API_SECRET_FILE",
        }
        wrong = {}
        for name in NAMES:
            for misspelt in misspellings(name):
                if len(name) < len("LOG_LEVEL") or misspelt in NAMES:
                    continue
                text = problem({misspelt: "s3cret"})
                meant = twins.get(misspelt, name)
                if text != f"{misspelt}: unknown setting; did you mean {meant}?":
                    wrong[misspelt] = text
        assert wrong == {}

    def test_say_that_a_variable_has_no_file(self) -> None:
        names = {
            setting.variable
            for setting in DECLARED
            if setting.variable.startswith(("AUTH_", "LIVEKIT_"))
            and not setting.file
            and not setting.variable.endswith("_PATH")
        }
        texts = {name: problem({f"{name}_FILE": "s3cret"}) for name in names}
        assert texts == {
            name: f"{name}_FILE: unknown setting; {name} cannot be read from a file"
            for name in names
        }

    def test_are_ignored_if_they_are_empty_and_authentication_is_on(self) -> None:
        texts = {name: problem({**SOURCE, name: ""}) for name in MISSPELT}
        assert texts == dict.fromkeys(MISSPELT, "accepted")

    def test_stop_the_start_if_they_are_empty_and_authentication_would_be_off(self) -> None:
        of_authentication = [name for name in MISSPELT if MISSPELT[name].startswith("AUTH_")]
        wrong = [name for name in of_authentication if problem({name: ""}) == "accepted"]
        assert wrong == []
        assert problem({"LIVEKIT_URI": ""}) == "accepted"


class TestNamesOfAuthentication:
    def test_stop_the_start_if_authentication_would_be_off(self) -> None:
        texts = {name: problem({name: "s3cret"}) for name in OF_AUTHENTICATION}
        assert texts == {
            name: f"{name}: unknown setting, and no source of identity is set;"
            " to start without authentication, set AUTH_REQUIRED=false"
            + (f"; did you mean {meant}?" if meant else "")
            for name, meant in OF_AUTHENTICATION.items()
        }

    def test_are_ignored_otherwise(self) -> None:
        for others in (SOURCE, OFF):
            texts = {name: problem({**others, name: "s3cret"}) for name in OF_AUTHENTICATION}
            assert texts == dict.fromkeys(OF_AUTHENTICATION, "accepted")
        texts = {name: problem_of({name: "s3cret"}, gateway="in-memory") for name in texts}
        assert texts == dict.fromkeys(OF_AUTHENTICATION, "accepted")

    def test_are_ignored_if_they_are_empty(self) -> None:
        texts = {name: problem({name: ""}) for name in OF_AUTHENTICATION}
        assert texts == dict.fromkeys(OF_AUTHENTICATION, "accepted")

    def test_are_listed_in_the_documents(self) -> None:
        text = (PROJECT / "docs" / "operation.md").read_text()
        _, _, listed = text.partition("<!-- names of authentication -->\n")
        words = " ".join(listed.partition("\n\n")[0].split())
        single, _, combined = words.partition("; and ")
        ends, starts = (re.findall(r"`(\w+)`", part) for part in combined.split(" after "))
        names = [
            *re.findall(r"`(\w+)`", single),
            *(f"{one}{end}" for one in starts for end in ends),
        ]
        assert len(names) > len(OF_AUTHENTICATION)
        assert [name for name in names if problem({name: "s3cret"}) == "accepted"] == []


class TestNamesOfOtherPrograms:
    def test_are_ignored(self) -> None:
        texts = {name: problem({name: "s3cret"}) for name in OF_OTHERS}
        assert texts == dict.fromkeys(OF_OTHERS, "accepted")

    def test_are_not_taken_for_those_of_kubernetes_with_a_number(self) -> None:
        assert problem({"METRIC_PORT": "9464"}).endswith("did you mean METRICS_PORT?")

    def test_are_ignored_if_kubernetes_sets_them(self) -> None:
        links = [
            ("AUTH_SERVICE_HOST", "10.0.0.11"),
            ("AUTH_SERVICE_HOST", "fd00::11"),
            ("AUTH_SERVICE_PORT", "8080"),
            ("AUTH_SERVICE_PORT_HTTP", "8080"),
            ("AUTH_PORT", "tcp://10.0.0.11:8080"),
            ("AUTH_PORT", "sctp://10.0.0.11:132"),
            ("AUTH_PORT_132_SCTP_PROTO", "sctp"),
            ("AUTH_PORT_8080_TCP", "tcp://10.0.0.11:8080"),
            ("AUTH_PORT_8080_TCP_PROTO", "tcp"),
            ("AUTH_PORT_8080_TCP_ADDR", "10.0.0.11"),
        ]
        assert {link: problem(dict([link])) for link in links} == dict.fromkeys(links, "accepted")
        assert [name for name, _ in links if problem({name: "s3cret"}) == "accepted"] == []
