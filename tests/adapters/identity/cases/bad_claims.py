"""Payloads that are refused although the issuer has signed them, by what is wrong with each.

``RULES`` of the test expects the issuer, the audience and the times of ``CLAIMS``. Malformed
payloads and dates come from another issuer besides, which is checked after them, so that no library
accepts such a token.
"""

from collections.abc import Mapping

from tests.adapters.identity.cases.keys import AUDIENCE, CLAIMS, ISSUER, NOW, to_json

LEEWAY_S = 30
_YEAR_10000 = 253_402_300_800
_FOREIGN = {**CLAIMS, "iss": "https://another.example"}
_GOOD = to_json(_FOREIGN)
_SUB = b'"sub":"tenant-a"'


def _with(name: str, value: object) -> bytes:
    return to_json({**CLAIMS, name: value})


def _without(name: str, claims: Mapping[str, object] = CLAIMS) -> bytes:
    return to_json({key: value for key, value in claims.items() if key != name})


def _written(name: str, literal: str) -> bytes:
    """Set a claim to a JSON literal."""
    return _without(name, _FOREIGN)[:-1] + f',"{name}":{literal}}}'.encode()


def _foreign(name: str, value: object) -> bytes:
    return to_json({**_FOREIGN, name: value})


_TIMES: Mapping[str, bytes] = {
    "exp is missing": _without("exp", _FOREIGN),
    "exp is past by just the leeway": _foreign("exp", NOW - LEEWAY_S),
    "exp is long past": _foreign("exp", 1),
    "exp is null": _foreign("exp", None),
    "exp is a digit string": _foreign("exp", str(NOW + 600)),
    "exp is a date in a string": _foreign("exp", "2099-01-01T00:00:00Z"),
    "exp is true": _foreign("exp", value=True),
    "exp is an array": _foreign("exp", [NOW + 600]),
    "exp is an object": _foreign("exp", {"at": NOW + 600}),
    "exp is NaN": _written("exp", "NaN"),
    "exp is Infinity": _written("exp", "Infinity"),
    "exp is 1e400": _written("exp", "1e400"),
    "exp is 10^400": _foreign("exp", 10**400),
    "exp is of 5,000 digits": _written("exp", "9" * 5000),
    "exp is -10^400": _foreign("exp", -(10**400)),
    "exp is in the year 10000": _foreign("exp", _YEAR_10000),
    "exp is in milliseconds": _foreign("exp", (NOW + 600) * 1000),
    "exp has a leading zero": _written("exp", f"0{NOW + 600}"),
    "exp is hexadecimal": _written("exp", hex(NOW + 600)),
    "nbf is just beyond the leeway": _foreign("nbf", NOW + LEEWAY_S + 1),
    "nbf is null": _foreign("nbf", None),
    "nbf is a digit string": _foreign("nbf", str(NOW - 60)),
    "nbf is true": _foreign("nbf", value=True),
    "nbf is an array": _foreign("nbf", []),
    "nbf is NaN": _written("nbf", "NaN"),
    "nbf is -Infinity": _written("nbf", "-Infinity"),
    "nbf is negative": _foreign("nbf", -1),
    "nbf is 10^400": _foreign("nbf", 10**400),
    "iat is just beyond the leeway": _foreign("iat", NOW + LEEWAY_S + 1),
    "iat is null": _foreign("iat", None),
    "iat is a digit string": _foreign("iat", str(NOW - 60)),
    "iat is false": _foreign("iat", value=False),
    "iat is an object": _foreign("iat", {}),
    "iat is NaN": _written("iat", "NaN"),
    "iat is -10^400": _foreign("iat", -(10**400)),
    "iat is -1e400": _written("iat", "-1e400"),
}

_PARTIES: Mapping[str, bytes] = {
    "iss is missing": _without("iss"),
    "iss is null": _with("iss", None),
    "iss is blank": _with("iss", ""),
    "iss is another": _with("iss", "https://s3cret.example"),
    "iss has an extra slash": _with("iss", f"{ISSUER}/"),
    "iss is in capitals": _with("iss", ISSUER.upper()),
    "iss has a NUL at its end": _with("iss", f"{ISSUER}\0"),
    "iss is a list with ours": _with("iss", [ISSUER]),
    "iss is an object": _with("iss", {ISSUER: True}),
    "iss is true": _with("iss", value=True),
    "aud is missing": _without("aud"),
    "aud is null": _with("aud", None),
    "aud is blank": _with("aud", ""),
    "aud is another": _with("aud", "s3cret"),
    "aud is longer than ours": _with("aud", f"{AUDIENCE}-2"),
    "aud is a part of ours": _with("aud", AUDIENCE[:-1]),
    "aud is in capitals": _with("aud", AUDIENCE.upper()),
    "aud is two words with ours": _with("aud", f"other {AUDIENCE}"),
    "aud is an empty list": _with("aud", []),
    "aud is a list of others": _with("aud", ["s3cret", "other"]),
    "aud lists a number beside ours": _with("aud", [AUDIENCE, 1]),
    "aud lists null beside ours": _with("aud", [None, AUDIENCE]),
    "aud lists ours in a list": _with("aud", [[AUDIENCE]]),
    "aud is an object with ours": _with("aud", {AUDIENCE: True}),
    "aud is true": _with("aud", value=True),
}

_IDS: Mapping[str, bytes] = {
    "sub is missing": _without("sub"),
    "sub is null": _with("sub", None),
    "sub is empty": _with("sub", ""),
    "sub is a space": _with("sub", " "),
    "sub is a tab": _with("sub", "\t"),
    "sub begins with a space": _with("sub", " demo"),
    "sub ends with a space": _with("sub", "demo "),
    "sub ends with a line feed": _with("sub", "demo\n"),
    "sub ends with a no-break space": _with("sub", "demo\u00a0"),
    "sub has a NUL": _with("sub", "demo\0"),
    "sub has a DEL": _with("sub", "de\x7fmo"),
    "sub has a zero-width space": _with("sub", "de\u200bmo"),
    "sub has a right-to-left override": _with("sub", "\u202eomed"),
    "sub has a lone surrogate": _foreign("sub", "demo\ud800"),
    "sub has surrogates in the wrong order": _foreign("sub", "demo\udc00\ud800"),
    "sub is a lone surrogate in bytes": _written("sub", '"demo@"').replace(b"@", b"\xed\xa0\x80"),
    "sub is of 129 characters": _with("sub", "s3cret" + "x" * 123),
    "sub is of 1 MB": _with("sub", "s3cret" + "x" * 1024 * 1024),
    "sub is 0": _with("sub", 0),
    "sub is a number": _with("sub", 31337),
    "sub is true": _with("sub", value=True),
    "sub is a list": _with("sub", ["tenant-a"]),
    "sub is an object": _with("sub", {"tenant-a": "tenant-a"}),
    "sub is in capitals as a name": _without("sub")[:-1] + b',"SUB":"tenant-a"}',
}

_PAYLOADS: Mapping[str, bytes] = {
    "payload is not JSON": b"s3cret",
    "payload is an empty object": b"{}",
    "payload is an array of the claims": b"[" + _GOOD + b"]",
    "payload is a JSON string": to_json(_GOOD.decode()),
    "payload is a number": b"31337",
    "payload is null": b"null",
    "payload is a space": b" ",
    "payload has trailing data": _GOOD + b"}",
    "payload is two objects": _GOOD + _GOOD,
    "payload is truncated": _GOOD[:-1],
    "payload has a trailing comma": _GOOD[:-1] + b",}",
    "payload has a comment": _GOOD[:-1] + b"/* s3cret */}",
    "payload is in single quotes": _GOOD.replace(b'"', b"'"),
    "payload is UTF-16": _GOOD.decode().encode("utf-16"),
    "payload starts with a byte order mark": b"\xef\xbb\xbf" + _GOOD,
    "payload is not UTF-8": _GOOD.replace(_SUB, b'"sub":"demo\xff"'),
    "payload has overlong UTF-8": _GOOD.replace(b'"s3cret"', b'"s3cret\xc0\x80"'),
    "payload has a line feed in a string": _GOOD.replace(b'"s3cret"', b'"s3cret\n"'),
    "payload gives sub twice": _GOOD.replace(_SUB, b'"sub":"other",' + _SUB),
    "payload gives sub twice, once escaped": _GOOD.replace(_SUB, b'"s\\u0075b":"x",' + _SUB),
    "payload gives exp twice": _GOOD[:-1] + b',"exp":1800000600}',
    "payload has a nested duplicate key": _GOOD[:-1] + b',"x":[{"a":1,"a":2}]}',
    "payload has NaN in another claim": _written("x", "NaN"),
    "payload has a lone surrogate in another claim": _foreign("x", "\udfff"),
    "payload has a lone surrogate as a name": _foreign("\ud800", 1),
    "payload is nested 65 deep": _written("x", "[" * 64 + "]" * 64),
    "payload is nested 8,000 deep": _written("x", "[" * 8000 + "]" * 8000),
}

BAD_PAYLOADS: Mapping[str, bytes] = {**_TIMES, **_PARTIES, **_IDS, **_PAYLOADS}
