"""Signed tokens as they arrive: JWS in its compact form (RFC 7515), before any key is used.

JWT libraries take more than they should; what they are not shown they cannot be fooled by.
"""

import base64
import re

from attrs import field, frozen

from domain import strict_json

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""All that is ever accepted (RFC 8725, 3.1): signatures under a public key."""

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TYPES = ("jwt", "at+jwt")  # RFC 9068's access tokens; an issuer's logout tokens are none
_EXTENSIONS = {"crit", "b64", "zip", "enc", "cty"}


class NotAJwsError(Exception):
    """A text is no signed token of the kind that we take; the message says why."""


@frozen(kw_only=True)
class Jws:
    """A signed token taken apart; nothing of it is proven yet."""

    alg: str
    kid: str | None
    signed: bytes = field(repr=False)
    """What the signature is over."""
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_jws(token: str) -> Jws:
    """Take a token apart, reading its header strictly.

    Keys that a header brings along or points to (``jwk``, ``jku``, ``x5c``, ``x5u``) are ignored.

    Raises:
        NotAJwsError: it is another text, or asks for what no signed token should.
    """
    segments = _COMPACT.fullmatch(token)
    if segments is None:
        raise NotAJwsError("not three segments of base64url")
    head, payload, signature = (_decode(segment) for segment in segments.groups())
    try:
        header = strict_json.loads_object(head)
    except strict_json.StrictJsonError as error:
        raise NotAJwsError(f"its header {error}") from None
    alg, kid = _check(header)
    signed = token.rpartition(".")[0].encode()
    return Jws(alg=alg, kid=kid, signed=signed, payload=payload, signature=signature)


def _check(header: dict[str, object]) -> tuple[str, str | None]:
    """Give a header's algorithm and, if it has one, its ``kid``."""
    alg, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise NotAJwsError("its algorithm is none that is taken")
    if not isinstance(kid, str):
        raise NotAJwsError("its kid is not a string")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise NotAJwsError("it is of another type")
    if not header.keys().isdisjoint(_EXTENSIONS):
        raise NotAJwsError("its header asks for an extension")
    return alg, kid if "kid" in header else None


def _decode(segment: str) -> bytes:
    """Decode base64url without padding, in the one spelling that its bytes have."""
    try:
        decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise NotAJwsError("a segment is not base64url") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise NotAJwsError("a segment is not base64url as it should be written")
    return decoded
