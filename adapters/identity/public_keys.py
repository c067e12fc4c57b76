"""Public keys that tokens are checked with, and what each is good for."""

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

_RSA_BITS = range(2048, 8193)  # shorter ones can be broken, longer ones are slow
_MAX_RSA_EXPONENT = 1 << 64  # a check takes as long as this is
_MAX_KEYS = 100
_MAX_TRIED = 8  # for a token without a kid, which anybody can send
_USELESS = (
    "must hold public keys, in PEM or as a key set: RSA (2,048 to 8,192 bits), P-256 or Ed25519"
)
_PEM_BEGINS = b"-----BEGIN"
_P = 2**255 - 19
_SMALL_ORDER = {0, 1, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826}
_PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@frozen
class PublicKey:
    """A key, its ``kid`` if it has one, and the algorithm that it is used with."""

    alg: str
    kid: str | None
    key: object

    def may_have_signed(self, token: Jws) -> bool:
        """Tell whether a token names this key or leaves it open; never for another algorithm.

        That is the defence against tokens that choose how they are checked (RFC 8725, 3.1).
        """
        return self.alg == token.alg and (None in (self.kid, token.kid) or self.kid == token.kid)

    def has_signed(self, token: Jws) -> bool:
        """Tell whether a token's signature is this key's."""
        algorithm = jwt.get_algorithm_by_name(self.alg)
        return algorithm.verify(token.signed, self.key, token.signature)


@frozen
class PublicKeys:
    """Keys that are at hand; two may share a ``kid``, and then either will do."""

    _keys: Sequence[PublicKey] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def have_the_one_named_by(self, token: Jws) -> bool:
        """Tell whether one of these has the ``kid`` that a token names."""
        named = (key.alg == token.alg and key.kid == token.kid for key in self._keys)
        return token.kid is not None and any(named)

    def have_signed(self, token: Jws) -> bool:
        """Tell whether a token is signed with one of these; not where too many may have."""
        tried = [key for key in self._keys if key.may_have_signed(token)]
        return len(tried) <= _MAX_TRIED and any(key.has_signed(token) for key in tried)


def parse_public_keys(text: bytes) -> PublicKeys:
    """Read a file of public keys: one to eight in PEM, or a key set (JWKS).

    Raises:
        ValueError: it is neither, or holds no key that can be used, or in PEM anything else.
    """
    keys = parse_key_set(text) if text.lstrip().startswith(b"{") else _from_pem(text)
    if not keys:
        raise ValueError(_USELESS)
    return keys


def parse_key_set(text: bytes) -> PublicKeys:
    """Read a key set (RFC 7517), leaving out every key that is of no use here.

    These are keys for another use, of another type or curve, too short or too long, malformed, or
    with their private part given away.

    Raises:
        ValueError: it is no key set, or one of over a hundred keys.
    """
    try:
        entries = strict_json.loads_object(text).get("keys")
    except strict_json.StrictJsonError as error:
        raise ValueError(str(error)) from None
    if not isinstance(entries, list):
        raise ValueError('is not a key set: {"keys": [...]}')  # noqa: TRY004 - one kind for all
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
            raise ValueError(_USELESS) from None
        if not _algorithms(key):
            raise ValueError(_USELESS)
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
        case Ed25519PublicKey() if not _is_of_small_order(key):
            return ("EdDSA",)
        case _:
            return ()


def _is_sound(key: RSAPublicKey) -> bool:
    return key.key_size in _RSA_BITS and key.public_numbers().e < _MAX_RSA_EXPONENT


def _is_of_small_order(key: Ed25519PublicKey) -> bool:
    """Tell whether anybody can sign for a key; edwards25519 has eight such points."""
    y = int.from_bytes(key.public_bytes_raw(), "little") % (1 << 255) % _P
    return min(y, _P - y) in _SMALL_ORDER
