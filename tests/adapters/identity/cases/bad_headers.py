"""Headers that are refused although a valid key has signed them, and valid claims."""

from collections.abc import Mapping

from tests.adapters.identity.cases.keys import to_json

_GOOD: Mapping[str, object] = {"alg": "ES256", "kid": "ES256"}
_TEXT = to_json(_GOOD)


def _with(name: str, value: object) -> bytes:
    return to_json({**_GOOD, name: value})


_ALGORITHMS: Mapping[str, bytes] = {
    "alg is missing": to_json({"kid": "ES256"}),
    "alg is null": _with("alg", None),
    "alg is blank": _with("alg", ""),
    "alg is none": _with("alg", "none"),
    "alg is None": _with("alg", "None"),
    "alg is NONE": _with("alg", "NONE"),
    "alg is nOnE": _with("alg", "nOnE"),
    "alg is a list of ours": _with("alg", ["ES256"]),
    "alg is an object": _with("alg", {"ES256": "ES256"}),
    "alg is a number": _with("alg", 256),
    "alg is true": _with("alg", value=True),
    "alg is in small letters": _with("alg", "es256"),
    "alg ends with a space": _with("alg", "ES256 "),
    "alg ends with a NUL": _with("alg", "ES256\0"),
    "alg has a Cyrillic letter": _with("alg", "\u0415S256"),
    "alg is a part of ours": _with("alg", "ES"),
    "alg is all of ours": _with("alg", "RS256,PS256,ES256,EdDSA"),
    "alg is unknown": _with("alg", "s3cret"),
    "alg is HS256": _with("alg", "HS256"),
    "alg is ES384": _with("alg", "ES384"),
    "alg is ES256K": _with("alg", "ES256K"),
    "alg is Ed25519": _with("alg", "Ed25519"),
    "alg is RS1": _with("alg", "RS1"),
    "alg is of an encryption": _with("alg", "ECDH-ES"),
    "alg is dir": _with("alg", "dir"),
    "alg is in capitals as a name": to_json({"ALG": "ES256", "kid": "ES256"}),
}

_KIDS: Mapping[str, bytes] = {
    "kid is null": _with("kid", None),
    "kid is a number": _with("kid", 0),
    "kid is false": _with("kid", value=False),
    "kid is a list with ours": _with("kid", ["ES256"]),
    "kid is an object": _with("kid", {"ES256": 1}),
    "kid has a lone surrogate": _with("kid", "ES256\ud800"),
}

_TYPES: Mapping[str, bytes] = {
    "typ is null": _with("typ", None),
    "typ is a number": _with("typ", 1),
    "typ is a list with ours": _with("typ", ["JWT"]),
    "typ is unknown": _with("typ", "s3cret"),
    "typ is blank": _with("typ", ""),
    "typ is of a logout token": _with("typ", "logout+jwt"),
    "typ is of a proof of possession": _with("typ", "dpop+jwt"),
    "typ is of an event": _with("typ", "application/secevent+jwt"),
    "typ is JOSE": _with("typ", "JOSE"),
    "typ is JOSE+JSON": _with("typ", "JOSE+JSON"),
    "typ is a type of another tree": _with("typ", "text/jwt"),
    "typ names its tree twice": _with("typ", "application/application/jwt"),
    "typ has a parameter": _with("typ", "jwt;v=1"),
    "typ ends with a space": _with("typ", "JWT "),
}

_EXTENSIONS: Mapping[str, bytes] = {
    "crit names a claim": _with("crit", ["exp"]),
    "crit names an extension of its own": to_json({**_GOOD, "crit": ["s3cret"], "s3cret": 1}),
    "crit is an empty list": _with("crit", []),
    "crit is null": _with("crit", None),
    "crit is a string": _with("crit", "exp"),
    "crit and b64 together": to_json({**_GOOD, "crit": ["b64"], "b64": False}),
    "b64 is false without crit": _with("b64", value=False),
    "b64 is null without crit": _with("b64", None),
}

_TEXTS: Mapping[str, bytes] = {
    "header is not JSON": b"s3cret",
    "header is an array": b"[" + _TEXT + b"]",
    "header is a JSON string": to_json(_TEXT.decode()),
    "header is null": b"null",
    "header is an empty object": b"{}",
    "header is two objects": _TEXT + _TEXT,
    "header is truncated": _TEXT[:-1],
    "header has a trailing comma": _TEXT[:-1] + b",}",
    "header starts with a byte order mark": b"\xef\xbb\xbf" + _TEXT,
    "header is UTF-16": _TEXT.decode().encode("utf-16"),
    "header is not UTF-8": _TEXT[:-1] + b',"x":"\xff"}',
    "header gives alg twice, none first": _TEXT[:-1].replace(b"{", b'{"alg":"none",') + b"}",
    "header gives alg twice, none last": _TEXT[:-1] + b',"alg":"none"}',
    "header gives alg twice alike": _TEXT[:-1] + b',"alg":"ES256"}',
    "header gives alg twice, once escaped": _TEXT[:-1] + b',"\\u0061lg":"ES256"}',
    "header gives kid twice": _TEXT.replace(b"{", b'{"kid":"s3cret",'),
    "header has a nested duplicate key": _TEXT[:-1] + b',"jwk":{"kty":"EC","kty":"oct"}}',
    "header has NaN": _TEXT[:-1] + b',"x":NaN}',
    "header has a lone surrogate": _with("x", "\ud800"),
    "header is nested 65 deep": _TEXT[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "header is nested 8,000 deep": _TEXT[:-1] + b',"x":' + b"[" * 8000 + b"]" * 8000 + b"}",
}

UNKNOWN_KIDS: Mapping[str, bytes] = {
    "kid is blank": _with("kid", ""),
    "kid is unknown": _with("kid", "s3cret"),
    "kid is in small letters": _with("kid", "es256"),
    "kid ends with a space": _with("kid", "ES256 "),
    "kid ends with a NUL": _with("kid", "ES256\0"),
    "kid is a key's of another algorithm": _with("kid", "EdDSA"),
    "kid is a path to an empty file": _with("kid", "/dev/null"),
    "kid is a path upwards": _with("kid", "../../../../../../dev/null"),
    "kid is a path upwards to ours": _with("kid", "../keys/ES256"),
    "kid is a path on Windows": _with("kid", "..\\..\\s3cret"),
    "kid is a URL of a file": _with("kid", "file:///proc/self/environ"),
    "kid is a URL": _with("kid", "https://s3cret.example/jwks.json#ES256"),
    "kid is SQL that is always true": _with("kid", "ES256' OR '1'='1"),
    "kid is SQL with a key": _with("kid", "x' UNION SELECT 's3cret"),
    "kid is SQL that drops a table": _with("kid", "ES256'; DROP TABLE keys; --"),
    "kid is a command": _with("kid", "ES256|/usr/bin/id"),
    "kid is a command with dollar": _with("kid", "$(cat /etc/passwd)"),
    "kid is a template": _with("kid", "{{s3cret}}${s3cret}"),
    "kid is a pattern": _with("kid", ".*"),
    "kid has line feeds": _with("kid", "ES256\r\nX-Evil: s3cret"),
    "kid is of 1 MB": _with("kid", "s3cret" + "x" * 1024 * 1024),
    "kid is a public key": _with("kid", "-----BEGIN PUBLIC KEY-----\ns3cret"),
}
"""Key ids that the issuer does not have, or not for this algorithm."""

BAD_HEADERS: Mapping[str, bytes] = {**_ALGORITHMS, **_KIDS, **_TYPES, **_EXTENSIONS, **_TEXTS}
"""Headers that are refused before any key is used."""
