"""Files without a usable public key, by what they contain instead."""

import base64
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from tests.adapters.identity.cases.bad_keys import UNUSABLE_KEYS
from tests.adapters.identity.cases.keys import signer, to_json

SPKI = PublicFormat.SubjectPublicKeyInfo


def rewritten(alg: str, encoding: Encoding, form: PublicFormat) -> bytes:
    return load_pem_public_key(signer(alg).pem).public_bytes(encoding, form)


def rsa_of(bits: int, exponent: int = 65537) -> bytes:
    """Encode a random key of a given length, which has no private part."""
    modulus = 1 << bits - 1 | secrets.randbits(bits - 1) | 1
    numbers = RSAPublicNumbers(e=exponent, n=modulus)
    return numbers.public_key().public_bytes(Encoding.PEM, SPKI)


def ed25519_of(point: str) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point))
    return key.public_bytes(Encoding.PEM, SPKI)


RFC_8037 = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""The public key of the RFC's example, whose private part anyone can read there."""


def certificate() -> bytes:
    private, now = signer("ES256").private, datetime.now(UTC)
    assert isinstance(private, EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    return builder.sign(private, SHA256()).public_bytes(Encoding.PEM)


def of_unknown_type(oid: str, unknown: str) -> bytes:
    """Replace an object identifier of a P-256 key with an unassigned one."""
    der = rewritten("ES256", Encoding.DER, SPKI)
    der = der.replace(bytes.fromhex(oid), bytes.fromhex(unknown))
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n".encode()


def unusable_keys() -> bytes:
    return to_json({"keys": [key.published(name) for name, key in UNUSABLE_KEYS.items()]})


BAD_FILES: Mapping[str, Callable[[], bytes]] = {
    "an empty file": lambda: b"",
    "white space": lambda: b" \n",
    "five hyphens": lambda: b"-----",
    "a private key": lambda: signer("ES256").key.as_pem(private=True),
    "a private key of RSA": lambda: signer("RS256").key.as_pem(private=True),
    "a certificate": certificate,
    "a key in DER": lambda: rewritten("ES256", Encoding.DER, SPKI),
    "a key of OpenSSH": lambda: rewritten("RS256", Encoding.OpenSSH, PublicFormat.OpenSSH),
    "truncated PEM": lambda: signer("RS256").pem[:100],
    "PEM of garbage": lambda: b"-----BEGIN PUBLIC KEY-----\ns3cret==\n-----END PUBLIC KEY-----\n",
    "PEM of nothing": lambda: b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
    "PEM with another label": lambda: signer("RS256").pem.replace(b"PUBLIC", b"S3CRET"),
    "a private key after a public one": lambda: (
        signer("ES256").pem + signer("ES256").key.as_pem(private=True)
    ),
    "an unusable key after a usable one": lambda: signer("ES256").pem + rsa_of(1024),
    "RSA with a long exponent": lambda: rsa_of(2048, exponent=(1 << 64) + 1),
    "the example of RFC 8037": partial(ed25519_of, RFC_8037),
    "the example of RFC 8037, its x negative": partial(ed25519_of, RFC_8037[:-2] + "9a"),
    "the example of RFC 8037, its y negative": partial(
        ed25519_of, "16a567fe7d4ef5482ab4012c369bf8c5f11e8d0c2559dcda50fde59708f8ae65"
    ),
    "PEM of bytes": lambda: b"-----\xff\x00\xfe-----",
    "a key of an unknown type": lambda: of_unknown_type("2a8648ce3d0201", "2a8648ce3d0202"),
    "an unknown curve": lambda: of_unknown_type("2a8648ce3d030107", "2a8648ce3d03017f"),
    "RSA of 1,024 bits": lambda: signer("RS256", "short", "1024").pem,
    "RSA of 2,047 bits": lambda: rsa_of(2047),
    "RSA of 8,193 bits": lambda: rsa_of(8193),
    "P-384": lambda: signer("ES384", kind="P-384").pem,
    "P-521": lambda: signer("ES512", kind="P-521").pem,
    "secp256k1": lambda: signer("ES256K", kind="secp256k1").pem,
    "Ed448": lambda: signer("EdDSA", "long", "Ed448").pem,
    "X25519": lambda: signer("ECDH-ES", kind="X25519").pem,
    "an empty key set": lambda: b'{"keys":[]}',
    "a key set of unusable keys": unusable_keys,
    "a key without a set": lambda: to_json(signer("ES256").jwk),
    "a list of keys": lambda: to_json([signer("ES256").jwk]),
}
