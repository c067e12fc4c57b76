"""Public keys that verify tokens, each with the algorithm that it may be used with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import jwt
from attrs import frozen
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from adapters.identity.jwk import UnusableKeyError, algorithms, escape_kid, name_of, parse_jwk
from adapters.identity.jws import Jws
from domain import strict_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_MAX_KEYS = 100
_MAX_NAMED = 16  # keys that are not used, in the log
_MAX_TRIED = 8  # keys for a token without a kid, which anyone can send
_NO_USABLE_KEY = (
    "must hold public keys, in PEM or as a key set: RSA (2,048 to 8,192 bits), P-256 or Ed25519"
)
_PEM_BEGINS = b"-----BEGIN"


@frozen
class PublicKey:
    """A key, its ``kid`` if it has one, and the only algorithm that it is used with.

    ``place`` is that in the file or key set, from 1 on.
    """

    alg: str
    kid: str | None
    key: object
    place: int

    @property
    def name(self) -> str:
        """What the log calls it: its ``kid``, in printable ASCII and cut, or else its place."""
        return escape_kid(self.kid) if self.kid else f"#{self.place}"

    def matches(self, token: Jws) -> bool:
        """Return whether the token has this key's algorithm, and its ``kid`` if both have one.

        Comparing the algorithm prevents algorithm confusion (RFC 8725, 3.1).
        """
        return self.alg == token.alg and (None in (self.kid, token.kid) or self.kid == token.kid)

    def verify(self, token: Jws) -> bool:
        """Return whether this key verifies the token's signature."""
        if isinstance(self.key, RSAPublicKey) and len(token.signature) * 8 < self.key.key_size:
            return False  # RFC 8017, 8.1.2; OpenSSL adds zeros that are missing in front
        algorithm = jwt.get_algorithm_by_name(self.alg)
        return algorithm.verify(token.signed, self.key, token.signature)


@frozen
class PublicKeys:
    """A set of keys; several may share a ``kid``, and then any of them may verify a token.

    ``left_out`` names the keys of a key set that are not used, with their reasons, for the log.
    """

    _keys: Sequence[PublicKey] = ()
    left_out: str = ""

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def distinct(self) -> frozenset[tuple[str | None, bytes]]:
        """The keys, by ``kid`` and in DER; one that serves several algorithms is there once."""
        return frozenset((key.kid, _in_der(key.key)) for key in self._keys)

    @property
    def used(self) -> str:
        """Name the keys that are used, each with its algorithms; at most 16."""
        algs: dict[tuple[int, str], list[str]] = {}
        for key in self._keys:
            algs.setdefault((key.place, key.name), []).append(key.alg)
        return _summary([f"{name} ({', '.join(each)})" for (_, name), each in algs.items()])

    def has_kid_of(self, token: Jws) -> bool:
        """Return whether a key of the token's algorithm has the ``kid`` that the token names."""
        return token.kid is not None and any(
            key.alg == token.alg and key.kid == token.kid for key in self._keys
        )

    def verify(self, token: Jws) -> str:
        """Return the name of the key that verifies the token.

        It is empty if none does, or if more than eight match the token.
        """
        matching = [key for key in self._keys if key.matches(token)]
        if len(matching) > _MAX_TRIED:
            return ""
        return next((key.name for key in matching if key.verify(token)), "")


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
    """Read a key set (RFC 7517), leaving out every unusable key.

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
    keys: list[PublicKey] = []
    left_out: set[str] = set()
    for place, entry in enumerate(entries, start=1):
        try:
            found = parse_jwk(entry)
        except UnusableKeyError as error:
            left_out.add(f"{name_of(entry)}: {error}")
        else:
            keys += [PublicKey(alg, found.kid, found.key, place) for alg in found.algs]
    return PublicKeys(keys, _summary(sorted(left_out)))


def _in_der(key: object) -> bytes:
    public = cast("PublicKeyTypes", key)
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _summary(names: Sequence[str]) -> str:
    """List names, independent of the order in which the issuer publishes them; at most 16."""
    more = len(names) - _MAX_NAMED
    return "; ".join([*names[:_MAX_NAMED], *([f"{more} more"] if more > 0 else [])])


def _from_pem(text: bytes) -> PublicKeys:
    _, *blocks = text.split(_PEM_BEGINS)
    if len(blocks) > _MAX_TRIED:
        raise ValueError(
            f"holds more than {_MAX_TRIED} keys; put them into a key set, each with kid"
        )
    keys: list[PublicKey] = []
    for place, block in enumerate(blocks, start=1):
        try:
            key = load_pem_public_key(_PEM_BEGINS + block)
        except (ValueError, UnsupportedAlgorithm, InternalError):
            raise ValueError(_NO_USABLE_KEY) from None
        if not algorithms(key):
            raise ValueError(_NO_USABLE_KEY)
        keys += [PublicKey(alg, None, key, place) for alg in algorithms(key)]
    return PublicKeys(keys)
