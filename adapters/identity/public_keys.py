"""Public keys that verify tokens, each with the algorithm that it may be used with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jwt
from attrs import frozen
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from adapters.identity.jws import Jws
from domain import strict_json

_RSA_BITS = range(2048, 8193)  # shorter keys can be broken, longer ones are slow
_MAX_RSA_EXPONENT = 1 << 64  # verification takes time in proportion to its length
_MAX_KEYS = 100
_MAX_TRIED = 8  # keys for a token without a kid, which anyone can send
_NO_USABLE_KEY = (
    "must hold public keys, in PEM or as a key set: RSA (2,048 to 8,192 bits), P-256 or Ed25519"
)
_PEM_BEGINS = b"-----BEGIN"
_P = 2**255 - 19
_FORGEABLE = {
    *(0, 1, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826),  # small order
    0x1A5107F7681A02AF2523A6DAF372E10E3A0764C9D3FE4BD5B70AB18201985AD7,  # example of RFC 8037
}
_PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@frozen
class PublicKey:
    """A key, its ``kid`` if it has one, and the only algorithm that it is used with."""

    alg: str
    kid: str | None
    key: object

    def matches(self, token: Jws) -> bool:
        """Return whether the token has this key's algorithm, and its ``kid`` if both have one.

        Comparing the algorithm prevents algorithm confusion (RFC 8725, 3.1).
        """
        return self.alg == token.alg and (None in (self.kid, token.kid) or self.kid == token.kid)

    def verify(self, token: Jws) -> bool:
        """Return whether this key verifies the token's signature."""
        algorithm = jwt.get_algorithm_by_name(self.alg)
        return algorithm.verify(token.signed, self.key, token.signature)


@frozen
class PublicKeys:
    """A set of keys; several may share a ``kid``, and then any of them may verify a token."""

    _keys: Sequence[PublicKey] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def has_kid_of(self, token: Jws) -> bool:
        """Return whether a key of the token's algorithm has the ``kid`` that the token names."""
        return token.kid is not None and any(
            key.alg == token.alg and key.kid == token.kid for key in self._keys
        )

    def verify(self, token: Jws) -> bool:
        """Return whether one of the keys verifies the token; false if more than eight match it."""
        matching = [key for key in self._keys if key.matches(token)]
        return len(matching) <= _MAX_TRIED and any(key.verify(token) for key in matching)


def parse_public_keys(text: bytes) -> PublicKeys:
    """Read a file of public keys: one to eight in PEM, or a key set (JWKS).

    Raises:
        ValueError: the file is neither, or has no usable key, or its PEM holds anything else.
    """
    keys = parse_key_set(text) if text.lstrip().startswith(b"{") else _from_pem(text)
    if not keys:
        raise ValueError(_NO_USABLE_KEY)
    return keys


def parse_key_set(text: bytes) -> PublicKeys:
    """Read a key set (RFC 7517), ignoring every unusable key.

    Unusable are keys for another use, of another type or curve, too short or too long, malformed,
    or published with their private part.

    Raises:
        ValueError: the text is not a key set, or has more than 100 keys.
    """
    try:
        entries = strict_json.loads_object(text).get("keys")
    except strict_json.StrictJsonError as error:
        raise ValueError(str(error)) from None
    if not isinstance(entries, list):
        raise ValueError('is not a key set: {"keys": [...]}')  # noqa: TRY004 - callers catch ValueError alone
    if len(entries) > _MAX_KEYS:
        raise ValueError(f"holds more than {_MAX_KEYS} keys")
    return PublicKeys([key for entry in entries for key in _from_entry(entry)])


def _from_pem(text: bytes) -> PublicKeys:
    _, *blocks = text.split(_PEM_BEGINS)
    if len(blocks) > _MAX_TRIED:
        raise ValueError(
            f"holds more than {_MAX_TRIED} keys; put them into a key set, each with kid"
        )
    keys: list[PublicKey] = []
    for block in blocks:
        try:
            key = load_pem_public_key(_PEM_BEGINS + block)
        except (ValueError, UnsupportedAlgorithm, InternalError):
            raise ValueError(_NO_USABLE_KEY) from None
        if not _algorithms(key):
            raise ValueError(_NO_USABLE_KEY)
        keys += [PublicKey(alg, None, key) for alg in _algorithms(key)]
    return PublicKeys(keys)


def _from_entry(entry: object) -> Iterable[PublicKey]:
    if not isinstance(entry, dict) or not _is_for_verifying(entry):
        return
    read: Callable[[dict[str, Any]], object]
    match entry:
        case {"kty": "RSA", "n": str(), "e": str()}:
            read = RSAAlgorithm.from_jwk
        case {"kty": "EC", "crv": "P-256", "x": str(), "y": str()}:
            read = ECAlgorithm.from_jwk
        case {"kty": "OKP", "crv": "Ed25519", "x": str()}:
            read = OKPAlgorithm.from_jwk
        case _:
            return
    try:
        key = read(entry)
    except (ValueError, UnsupportedAlgorithm, jwt.InvalidKeyError):
        return
    for alg in _algorithms(key):
        if entry.get("alg", alg) == alg:
            yield PublicKey(alg, entry.get("kid"), key)


def _is_for_verifying(entry: Mapping[str, object]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(entry.get("kid", ""), str)
        and entry.keys().isdisjoint(_PRIVATE_PARTS)
    )


def _algorithms(key: object) -> tuple[str, ...]:
    match key:
        case RSAPublicKey() if _is_sound(key):
            return ("RS256", "PS256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return ("ES256",)
        case Ed25519PublicKey() if not _is_forgeable(key):
            return ("EdDSA",)
        case _:
            return ()


def _is_sound(key: RSAPublicKey) -> bool:
    return key.key_size in _RSA_BITS and key.public_numbers().e < _MAX_RSA_EXPONENT


def _is_forgeable(key: Ed25519PublicKey) -> bool:
    """Return whether anyone can forge signatures for a key.

    So it is with the eight points of small order, which cryptography 50.0.2 accepts, and with the
    key whose private part RFC 8037 publishes as an example.
    """
    y = int.from_bytes(key.public_bytes_raw(), "little") % (1 << 255) % _P
    return min(y, _P - y) in _FORGEABLE
