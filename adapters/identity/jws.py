"""Strict parsing of signed tokens in JWS compact form (RFC 7515), before any key is used.

JWT libraries accept more than is safe; what this parser rejects never reaches them.
"""

import base64
import re

from attrs import field, frozen

from domain import strict_json

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""The algorithms accepted (RFC 8725, 3.1): all of them sign with a private key."""

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TYPES = ("jwt", "at+jwt")  # RFC 9068 access tokens; not an issuer's logout tokens


class InvalidJwsError(Exception):
    """A text is not a signed token of a supported kind; the message says why."""


@frozen(kw_only=True)
class Jws:
    """A parsed token whose signature has not been verified yet."""

    alg: str
    kid: str | None
    signed: bytes = field(repr=False)
    """The bytes that the signature covers."""
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_jws(token: str) -> Jws:
    """Parse a token strictly.

    Header members that are not needed are ignored (RFC 7515, 4), keys that they contain or point
    to (``jwk``, ``jku``, ``x5c``, ``x5u``) among them. Extensions that must not be ignored
    (``crit``) are not supported, nor is a payload that is not encoded (``b64``, RFC 7797).

    Raises:
        InvalidJwsError: the text is not in compact form, or its header is invalid or unsupported.
    """
    segments = _COMPACT.fullmatch(token)
    if segments is None:
        raise InvalidJwsError("not in JWS compact form")
    head, payload, signature = (_decode(segment) for segment in segments.groups())
    try:
        header = strict_json.loads_object(head)
    except strict_json.StrictJsonError as error:
        raise InvalidJwsError(f"header {error}") from None
    alg, kid = _validate(header)
    signed = token.rpartition(".")[0].encode()
    return Jws(alg=alg, kid=kid, signed=signed, payload=payload, signature=signature)


def _validate(header: dict[str, object]) -> tuple[str, str | None]:
    """Validate a header; return its algorithm and its ``kid``, or ``None`` if it has none."""
    alg, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise InvalidJwsError("unsupported algorithm")
    if not isinstance(kid, str):
        raise InvalidJwsError("kid is not a string")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise InvalidJwsError("unsupported typ")
    if "crit" in header or header.get("b64", True) is not True:
        raise InvalidJwsError("unsupported header extension")
    return alg, kid if "kid" in header else None


def _decode(segment: str) -> bytes:
    """Decode unpadded base64url; only the canonical encoding of the bytes is accepted."""
    try:
        decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise InvalidJwsError("invalid base64url") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise InvalidJwsError("base64url not in canonical form")
    return decoded
