"""Settings that must prevent the start, and the variable that the error message must name.

Everything that must not be printed contains ``s3cret``: values, contents of files, and paths.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.adapters.identity.cases.bad_key_files import BAD_FILES
from tests.adapters.identity.cases.keys import signer
from tests.adapters.identity.test_signing_key import NO_KEYS

FileMaker = Callable[[Path], object]
Variables = Mapping[str, str | FileMaker]


@frozen
class Broken:
    """The invalid variable, and all variables; a function makes the file that one names."""

    invalid: str
    variables: Variables

    def environment(self, folder: Path) -> dict[str, str]:
        """Create the files in a folder, and return the environment of a process."""
        environment = {}
        for name, value in self.variables.items():
            if isinstance(value, str):
                environment[name] = value
            else:
                path = folder / f"s3cret-{name}"
                value(path)
                environment[name] = str(path)
        return environment


def containing(content: bytes | Callable[[], bytes]) -> FileMaker:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content())


def no_file(_path: Path) -> None:
    """Create no file."""


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def too_large(path: Path) -> None:
    path.write_bytes(b"s3cret")
    os.truncate(path, (16 << 20) + 1)


def secrets_json(*entries: object) -> str:
    return json.dumps(entries)


NOT_NUMBERS = ("s3cret", "-1", "+1", "1e1", " 1", "1_0", "0x1", "٣", "9" * 40)
VALUES: Mapping[str, Sequence[str]] = {
    "PORT": [*NOT_NUMBERS, "65536", "80.0", "3001\r"],
    "MAX_CONNECTIONS": ["0", "65537"],
    "MAX_IN_FLIGHT": ["0", "65537", "many-s3cret"],
    "MAX_IN_FLIGHT_PER_TENANT": ["0", "65537", "many-s3cret"],
    "MAX_LINE_BYTES": ["255", "8k", "65537"],
    "MAX_BODY_BYTES": ["255", "16KiB"],
    "MAX_TOKEN_BYTES": ["0", "65537"],
    "MAX_TRACK_SID_CHARACTERS": ["0", "1025"],
    "LIVEKIT_MAX_CONNECTIONS": ["0", "1.5"],
    "LIVEKIT_MAX_ROOMS_PER_READ": ["0", "17"],
    "LIVEKIT_TOKEN_SECONDS": ["9", "86401", "10m"],
    "LIVEKIT_TIMEOUT_SECONDS": [*NOT_NUMBERS, "0", "61", "nan", "inf", "5s", "5."],
    "LIVEKIT_PROBE_DELAY_SECONDS": ["0", "61"],
    "HEADERS_TIMEOUT_SECONDS": ["0", "301"],
    "BODY_TIMEOUT_SECONDS": ["0.0", "1,5"],
    "IDLE_TIMEOUT_SECONDS": ["3601", "-Infinity"],
    "REQUEST_TIMEOUT_SECONDS": ["0", "1e2"],
    "DRAIN_TIMEOUT_SECONDS": ["0", "301"],
    "HOST": ["s3cret host", "127.0.0.1:3001", "-s3cret", "s3cret/", "[::1]", "s3crét"],
    "LOG_LEVEL": ["s3cret", "trace", "info "],
    "LOG_FORMAT": ["s3cret", "xml"],
    "AUDIT_LOG": ["s3cret", "stdout ", "/s3cret/missing", "/dev/null"],
    "LIVEKIT_URL": [
        "s3cret:7880",
        "ftp://s3cret",
        "http://:7880",
        "wss://user:s3cret@livekit.example.com",
        "https://livekit.example.com?token=s3cret",
        "ws://livekit.example.com:s3cret",
        "ws://livekit.example.com\ns3cret",
    ],
    "LIVEKIT_API_KEY": ["s3cret key", "s3crét", "s3cret\udcff"],
    "LIVEKIT_API_SECRET": ["s3cret\n", "\ts3cret"],
    "AUTH_REQUIRED": ["s3cret", "tru", " true", "2", "enabled"],
    "AUTH_API_SECRET": ["s3cret ", "s3cret\r\n", "s3crét", "s3cret\x7f", "s3cret\udcff"],
    "AUTH_API_SECRETS_JSON": [
        "s3cret",
        "[s3cret",
        "[]",
        "{}",
        "null",
        '"s3cret"',
        '{"id": "a", "secret": "s3cret"}',
        '{"a": "s3cret"}',
        '["s3cret"]',
        '[["a", "s3cret"]]',
        '[{"id": "a", "secret": "s3cret"},]',
        '[{"id": "a", "id": "b", "secret": "s3cret"}]',
        '[{"id": "a", "secret": "s3cret", "n": NaN}]',
        "\ufeff" + secrets_json({"id": "a", "secret": "s3cret"}),
        "[" * 8000 + "s3cret",
        secrets_json({"id": "s3cret"}),
        secrets_json({"secret": "s3cret"}),
        secrets_json({"id": 1, "secret": "s3cret"}),
        secrets_json({"id": "a", "secret": ["s3cret"]}),
        secrets_json({"id": "a", "secret": ""}),
        secrets_json({"id": " s3cret", "secret": "x"}),
        secrets_json({"id": "s3cret" * 22, "secret": "x"}),
        secrets_json({"id": "a", "secret": "s3cret"}, {"id": "b", "secret": "s3cret"}),
        secrets_json({"id": "a", "secret": "s3cret"}, None),
    ],
    "AUTH_API_SECRETS_FILE": ["[s3cret]"],
    "AUTH_JWKS_URL": [
        "s3cret",
        "http://issuer.example.com/s3cret",
        "http://10.0.0.1/s3cret",
        "https://user:s3cret@issuer.example.com/",
        "https://issuer.example.com/#s3cret",
        "file:///s3cret.json",
    ],
}
"""Values that are invalid whatever else is set."""

SECRET: Variables = {"AUTH_API_SECRET": "s3cret"}
JWKS_URL = "https://s3cret.example.com/keys"
JWKS: Variables = {"AUTH_JWKS_URL": JWKS_URL}
PUBLIC_KEY: Variables = {"AUTH_JWT_PUBLIC_KEY_PATH": containing(lambda: signer("ES256").pem)}
SIGNING_KEY = containing(lambda: signer("ES256").key.as_pem(private=True))
SERVICE: Variables = {
    "AUTH_SERVICE_URL": "https://s3cret.example.com",
    "AUTH_SIGNING_KEY_PATH": SIGNING_KEY,
}

IN_COMBINATION: Mapping[str, tuple[str, str, Variables]] = {
    "an invalid tenant id": ("AUTH_API_SECRET_ID", " s3cret", SECRET),
    "the same secret for two ids": (
        "AUTH_API_SECRET",
        "s3cret",
        {"AUTH_API_SECRETS_JSON": secrets_json({"id": "a", "secret": "s3cret"})},
    ),
    "a token limit below the length of a secret": ("MAX_TOKEN_BYTES", "5", SECRET),
    "a leeway of hours": ("AUTH_JWT_LEEWAY_SECONDS", "7200", JWKS),
    "a negative leeway": ("AUTH_JWT_LEEWAY_SECONDS", "-30", JWKS),
    "an issuer with a space": ("AUTH_JWT_ISSUER", "s3cret issuer", JWKS),
    "an audience with a space": ("AUTH_JWT_AUDIENCE", "s3cret audience", JWKS),
    "a claim with a space": ("AUTH_JWT_ID_CLAIM", "s3cret claim", JWKS),
    "two sources of public keys": ("AUTH_JWKS_URL", JWKS_URL, PUBLIC_KEY),
    "allow-no-id that is no boolean": ("AUTH_ALLOW_NO_ID", "s3cret", JWKS),
    "allow-no-id with API secrets": ("AUTH_ALLOW_NO_ID", "true", SECRET),
    "an authentication service that is no URL": ("AUTH_SERVICE_URL", "s3cret:8080", SERVICE),
    "an authentication service with a user": (
        "AUTH_SERVICE_URL",
        "http://s3cret@auth.example.com",
        SERVICE,
    ),
    "an authentication service of another scheme": (
        "AUTH_SERVICE_URL",
        "ws://s3cret.example.com",
        SERVICE,
    ),
    "an authentication timeout of two minutes": ("AUTH_TIMEOUT_SECONDS", "120", SERVICE),
}
"""Invalid combinations: the variable that is named, its value, and the other variables."""

QUOTED: Mapping[str, str] = {
    "HOST": "127.0.0.1",
    "PORT": "3001",
    "LOG_LEVEL": "info",
    "LIVEKIT_URL": "wss://s3cret.example.com",
    "LIVEKIT_API_KEY": "s3cret",
    "LIVEKIT_API_SECRET": "s3cret",
    "LIVEKIT_TIMEOUT_SECONDS": "5",
    "AUTH_REQUIRED": "true",
    "AUTH_API_SECRET": "s3cret",
    "AUTH_API_SECRETS_JSON": secrets_json({"id": "a", "secret": "s3cret"}),
    "AUTH_API_SECRET_FILE": "/run/s3cret",
    "AUTH_JWKS_URL": JWKS_URL,
    "AUTH_JWT_ISSUER": "s3cret",
    "AUTH_JWT_PUBLIC_KEY_PATH": "/run/s3cret",
    "AUTH_SERVICE_URL": "https://s3cret.example.com",
    "MAX_IN_FLIGHT": "7",
}
"""Valid values, for the quotation marks to be all that is wrong."""

BAD_FILE_MAKERS: Mapping[str, FileMaker] = {
    "no file": no_file,
    "a directory": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": link_to_itself,
    "a file that is too large": too_large,
    "an empty file": containing(b""),
    "an empty line": containing(b"\n"),
    "UTF-16": containing("s3cret".encode("utf-16")),
    "bytes": containing(bytes(range(256)) + b"s3cret"),
    "in quotation marks": containing(b'"s3cret"'),
    "two lines": containing(b"s3cret\ns3cret\n"),
    "a BOM": containing(b"\xef\xbb\xbfs3cret"),
    "NUL": containing(b"s3cret\0"),
}
FILES = (
    "LIVEKIT_API_KEY_FILE",
    "LIVEKIT_API_SECRET_FILE",
    "AUTH_API_SECRET_FILE",
    "AUTH_API_SECRETS_FILE",
    "AUTH_JWT_PUBLIC_KEY_PATH",
    "AUTH_SIGNING_KEY_PATH",
)
FILE_VARIABLES = {
    "LIVEKIT_API_KEY_FILE": "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET_FILE": "LIVEKIT_API_SECRET",
    "AUTH_API_SECRET_FILE": "AUTH_API_SECRET",
    "AUTH_API_SECRETS_FILE": "AUTH_API_SECRETS_JSON",
}


def _cases() -> Iterator[tuple[str, Broken]]:
    for name, values in VALUES.items():
        for value in values:
            yield f"{name} is {value[:40]!r}", Broken(name, {name: value})
    for what, (name, value, others) in IN_COMBINATION.items():
        yield what, Broken(name, {**others, name: value})
    for name in FILES:
        for what, make in BAD_FILE_MAKERS.items():
            yield f"{name} is {what}", Broken(name, {name: make})
    for file, name in FILE_VARIABLES.items():
        yield f"{file} with {name}", Broken(file, {file: containing(b"s3cret"), name: "s3cret"})
    for name, bad in (("AUTH_JWT_PUBLIC_KEY_PATH", BAD_FILES), ("AUTH_SIGNING_KEY_PATH", NO_KEYS)):
        for what, content in bad.items():
            yield f"{name} is {what}", Broken(name, {name: containing(content)})


BROKEN: Mapping[str, Broken] = {
    **dict(_cases()),
    **{
        f"{name} in {quote}": Broken(name, {name: f"{quote}{value}{quote}"})
        for name, value in QUOTED.items()
        for quote in "\"'"
    },
}
