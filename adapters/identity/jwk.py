"""Keys as an issuer publishes them in a key set, in JSON (RFC 7517)."""

from collections.abc import Callable, Mapping
from typing import Any

import jwt
from attrs import frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_RSA_BITS = range(2048, 8193)  # shorter keys can be broken, longer ones are slow
_MAX_RSA_EXPONENT = 1 << 64  # verification takes time in proportion to its length
_P = 2**255 - 19
_RFC_8037_Y = 0x1A5107F7681A02AF2523A6DAF372E10E3A0764C9D3FE4BD5B70AB18201985AD7
_PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_MAX_KID_CHARACTERS = 64


class UnusableKeyError(Exception):
    """A key must not be used; the message says why and shows nothing of the key."""


@frozen
class Jwk:
    """A published key, its ``kid`` if it has one, and the algorithms that it may be used with."""

    key: object
    kid: str | None
    algs: tuple[str, ...]


def parse_jwk(entry: object) -> Jwk:
    """Read one key of a key set.

    A member that is null, an empty string or an empty array counts as absent: some libraries
    (.NET's among them) write members that a key does not have.

    Raises:
        UnusableKeyError: the key is for another use, of another type or curve, too short or too
            long, malformed, or published with its private part.
    """
    if not isinstance(entry, dict):
        raise UnusableKeyError("not a JSON object")
    members = {name: value for name, value in entry.items() if value not in (None, "", [])}
    _check_use(members)
    key = _read(members)
    supported = algorithms(key)
    if not supported:
        raise UnusableKeyError("too short, too long or weak")
    algs = tuple(alg for alg in supported if members.get("alg", alg) == alg)
    if not algs:
        raise UnusableKeyError(f"alg is not {' or '.join(supported)}")
    return Jwk(key, members.get("kid"), algs)


def name_of(entry: object) -> str:
    """Name a key for the log by its ``kid``, which is escaped and cut."""
    kid = entry.get("kid") if isinstance(entry, dict) else None
    if not isinstance(kid, str) or not kid:
        return "a key without kid"
    return f"kid {kid[:_MAX_KID_CHARACTERS]!a:.{_MAX_KID_CHARACTERS}}"


def escape_kid(kid: str) -> str:
    """Return a ``kid`` for the log: in printable ASCII, other characters escaped, and cut."""
    return kid[:_MAX_KID_CHARACTERS].encode("unicode_escape").decode()[:_MAX_KID_CHARACTERS]


def algorithms(key: object) -> tuple[str, ...]:
    """Return the algorithms for a key's type; none if the key is not sound."""
    match key:
        case RSAPublicKey() if _is_sound(key):
            return ("RS256", "PS256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return ("ES256",)
        case Ed25519PublicKey() if not _is_forgeable(key):
            return ("EdDSA",)
        case _:
            return ()


def _check_use(members: Mapping[str, object]) -> None:
    operations = members.get("key_ops", ["verify"])
    if members.get("use", "sig") != "sig":
        raise UnusableKeyError("use is not sig")
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKeyError("key_ops does not contain verify")
    if not isinstance(members.get("kid", ""), str):
        raise UnusableKeyError("kid is not a string")
    if members.get("kty") == "oct":
        raise UnusableKeyError("a shared secret (kty is oct)")
    if not members.keys().isdisjoint(_PRIVATE_PARTS):
        raise UnusableKeyError("published with its private part")


def _read(members: dict[str, Any]) -> object:
    read: Callable[[dict[str, Any]], object]
    match members:
        case {"kty": "RSA", "n": str(), "e": str()}:
            read = RSAAlgorithm.from_jwk
        case {"kty": "EC", "crv": "P-256", "x": str(), "y": str()}:
            read = ECAlgorithm.from_jwk
        case {"kty": "OKP", "crv": "Ed25519", "x": str()}:
            read = OKPAlgorithm.from_jwk
        case {"kty": "RSA"} | {"kty": "EC", "crv": "P-256"} | {"kty": "OKP", "crv": "Ed25519"}:
            raise UnusableKeyError("malformed")
        case {"kty": "EC"} | {"kty": "OKP"}:
            raise UnusableKeyError("crv is not P-256 or Ed25519")
        case _:
            raise UnusableKeyError("kty is not RSA, EC or OKP")
    try:
        return read(members)
    except (ValueError, UnsupportedAlgorithm, jwt.InvalidKeyError):
        raise UnusableKeyError("malformed") from None


def _is_sound(key: RSAPublicKey) -> bool:
    return key.key_size in _RSA_BITS and key.public_numbers().e < _MAX_RSA_EXPONENT


def _is_forgeable(key: Ed25519PublicKey) -> bool:
    """Return whether anyone can forge signatures for a key.

    So it is with points of small order, which cryptography 50.0.2 accepts, and with the key whose
    private part RFC 8037 publishes as an example.
    """
    y = int.from_bytes(key.public_bytes_raw(), "little") % (1 << 255) % _P
    return _has_small_order(y) or y in (_RFC_8037_Y, _P - _RFC_8037_Y)


def _has_small_order(y: int) -> bool:
    """Return whether the order of a point of edwards25519 (RFC 7748) is a divisor of 8.

    The order is 1 or 2 where x is 0, 4 where y is 0, and 8 where twice the point has a y of 0: then
    x^2 is -y^2 and, by the equation of the curve, 121665 y^4 - 243332 y^2 + 121666 is 0.
    """
    square = y * y % _P
    return square in (0, 1) or (121665 * square**2 - 243332 * square + 121666) % _P == 0
