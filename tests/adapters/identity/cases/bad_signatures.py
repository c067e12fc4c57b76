"""Tokens whose signature is not the issuer's, or is of another algorithm."""

import hmac
import json
from collections.abc import Callable, Mapping
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from tests.adapters.identity.cases.keys import (
    ALGORITHMS,
    EXPIRED,
    Signer,
    b64,
    ec_signature,
    signer,
    to_json,
)

Forge = Callable[[bytes], bytes]
"""Returns a signature of the bytes to sign."""

_ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ORDER_ED25519 = 2**252 + 27742317777372353535851937790883648493


def forged(alg: str, forge: Forge, **header: object) -> str:
    """Make a token that names one of the issuer's keys, with another signature."""
    named = to_json({"alg": alg, "kid": alg, **header})
    text = f"{b64(named)}.{b64(to_json(EXPIRED))}"
    return f"{text}.{b64(forge(text.encode()))}"


def _of_issuer(alg: str, change: Forge) -> str:
    return forged(alg, lambda data: change(signer(alg).signature(data)))


def _invalidated(alg: str) -> Mapping[str, Callable[[], str]]:
    """Invalidate a signature in the ways that apply to every algorithm."""
    attacker = partial(signer, alg, "attacker")
    changes: Mapping[str, Forge] = {
        "has a bit flipped": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
        "has its first bit flipped": lambda good: bytes([good[0] ^ 128]) + good[1:],
        "lacks its last byte": lambda good: good[:-1],
        "lacks its first byte": lambda good: good[1:],
        "has a NUL after it": lambda good: good + b"\0",
        "has a NUL before it": lambda good: b"\0" + good,
        "is all zeros": lambda good: bytes(len(good)),
        "is all ones": lambda good: b"\xff" * len(good),
        "is a single NUL": lambda _good: b"\0",
        "is given twice": lambda good: good + good,
    }
    return {
        **{f"{alg} {name}": partial(_of_issuer, alg, change) for name, change in changes.items()},
        f"{alg} is a attacker's": lambda: forged(alg, attacker().signature),
        f"{alg} is over the payload alone": lambda: forged(
            alg, lambda data: signer(alg).signature(data.partition(b".")[2])
        ),
        f"{alg} is over other claims": lambda: forged(
            alg, lambda data: signer(alg).signature(data[:-1])
        ),
    }


def _by_attacker(**header: object) -> str:
    return forged("ES256", signer("ES256", "attacker").signature, **header)


def _rsa(alg: str, padding: AsymmetricPadding, hashing: HashAlgorithm) -> str:
    private = signer(alg).private
    assert isinstance(private, RSAPrivateKey)
    return forged(alg, lambda data: private.sign(data, padding, hashing))


def _pss(salt_length: int, mask: HashAlgorithm) -> str:
    return _rsa("PS256", PSS(mgf=MGF1(mask), salt_length=salt_length), SHA256())


def _der(data: bytes) -> bytes:
    private = signer("ES256").private
    assert isinstance(private, EllipticCurvePrivateKey)
    return private.sign(data, ECDSA(SHA256()))


def _plus_the_order(good: bytes) -> bytes:
    """Make the other Ed25519 signature that lax verifiers accept."""
    s = int.from_bytes(good[32:], "little") + _ORDER_ED25519
    return good[:32] + s.to_bytes(32, "little")


def _as(alg: str, holder: str, *, signs: str | None = None) -> str:
    """Sign with one of the issuer's keys and an algorithm that is not the key's."""
    other = Signer(signs or alg, holder, signer(holder).key)
    return forged(alg, other.signature, kid=holder)


_CONFUSED: Mapping[str, Callable[[], str]] = {
    "says PS256, signed RS256 by its key": partial(_as, "PS256", "RS256", signs="RS256"),
    "says RS256, signed PS256 by its key": partial(_as, "RS256", "PS256", signs="PS256"),
    "says EdDSA, signed ES256 by its key": partial(_as, "EdDSA", "ES256", signs="ES256"),
    "says ES256, signed EdDSA by its key": partial(_as, "ES256", "EdDSA", signs="EdDSA"),
    "says RS256, signed ES256 by its key": partial(_as, "RS256", "ES256", signs="ES256"),
    "says ES256, signed RS256 by its key": partial(_as, "ES256", "RS256", signs="RS256"),
    "says none, signed RS256 by its key": partial(_as, "none", "RS256", signs="RS256"),
    "says HS256, signed RS256 by its key": partial(_as, "HS256", "RS256", signs="RS256"),
    **{
        f"{alg} by the key for {holder}": partial(_as, alg, holder)
        for alg, holder in [("PS256", "RS256"), ("RS256", "PS256")]
        + [(alg, "RS256") for alg in ("RS384", "RS512", "PS384", "PS512")]
        + [(alg, "ES256") for alg in ("ES384", "ES512", "ES256K")]
    },
    "EdDSA without a kid by a attacker": lambda: signer("EdDSA", "attacker").seal(
        b'{"alg":"EdDSA"}', to_json(EXPIRED)
    ),
}


def _hmac(holder: str, digest: str, secret: Callable[[Signer], bytes]) -> str:
    """Sign with HMAC, keyed by what is public of a key."""
    return forged(
        f"HS{digest.removeprefix('sha')}",
        lambda data: hmac.digest(secret(signer(holder)), data, digest),
        kid=holder,
    )


def _to_der(holder: Signer) -> bytes:
    return load_pem_public_key(holder.pem).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


_SECRETS: Mapping[str, Callable[[Signer], bytes]] = {
    "PEM": lambda holder: holder.pem,
    "PEM without its last line feed": lambda holder: holder.pem.rstrip(),
    "DER": _to_der,
    "JWK": lambda holder: json.dumps(holder.jwk).encode(),
    "kid": lambda holder: holder.kid.encode(),
    "nothing": lambda _holder: b"",
}

_HMAC: Mapping[str, Callable[[], str]] = {
    f"{digest} keyed by the {name} of {holder}": partial(_hmac, holder, digest, secret)
    for name, secret in _SECRETS.items()
    for holder, digest in [(alg, "sha256") for alg in ALGORITHMS] + [("RS256", "sha512")]
}

_ATTACKERS: Mapping[str, Callable[[], str]] = {
    "attacker includes its key in jwk": lambda: _by_attacker(jwk=signer("ES256", "attacker").jwk),
    "attacker includes its key in jku": lambda: _by_attacker(
        jku="https://s3cret.example/jwks.json"
    ),
    "attacker includes its key in x5u": lambda: _by_attacker(x5u="https://s3cret.example/key.pem"),
    "attacker includes its key in x5c": lambda: _by_attacker(
        x5c=[b64(_to_der(signer("ES256", "attacker")))]
    ),
}

_SPECIAL: Mapping[str, Callable[[], str]] = {
    "ECDSA is in DER": lambda: forged("ES256", _der),
    "ECDSA is of r = 0": lambda: forged("ES256", lambda _: ec_signature(0, 1)),
    "ECDSA is of s = 0": lambda: forged("ES256", lambda _: ec_signature(1, 0)),
    "ECDSA is of the order twice": lambda: forged(
        "ES256", lambda _: ec_signature(_ORDER_P256, _ORDER_P256)
    ),
    "ECDSA is of 1 and 1": lambda: forged("ES256", lambda _: ec_signature(1, 1)),
    "ECDSA has r and s exchanged": lambda: _of_issuer("ES256", lambda good: good[32:] + good[:32]),
    "ECDSA is padded to a longer curve": lambda: _of_issuer(
        "ES256", lambda good: bytes(16) + good[:32] + bytes(16) + good[32:]
    ),
    "Ed25519 has the order added": lambda: _of_issuer("EdDSA", _plus_the_order),
    "RSA is over SHA-1": lambda: _rsa("RS256", PKCS1v15(), SHA1()),  # noqa: S303 - on purpose
    "RSA is over SHA-384": lambda: _rsa("RS256", PKCS1v15(), SHA384()),
    "PSS has no salt": lambda: _pss(0, SHA256()),
    "PSS has the longest salt": lambda: _pss(256 - 32 - 2, SHA256()),
    "PSS is masked with SHA-1": lambda: _pss(32, SHA1()),  # noqa: S303 - on purpose
}

BAD_SIGNATURES: Mapping[str, Callable[[], str]] = {
    **{name: make for alg in ALGORITHMS for name, make in _invalidated(alg).items()},
    **_CONFUSED,
    **_HMAC,
    **_ATTACKERS,
    **_SPECIAL,
}
