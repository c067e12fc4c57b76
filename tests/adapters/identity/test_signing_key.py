import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.dsa import generate_private_key as generate_dsa_key
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP224R1,
    SECP256K1,
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.signing_key import parse_signing_key
from tests.adapters.identity.cases.authentication_service import MAKE_KEY, KeyPair, usual_keys

EC_KEY = generate_private_key(SECP256R1())
PEM = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC_PEM = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
P256_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"

UNSUPPORTED: Mapping[str, Callable[[], PrivateKeyTypes]] = {
    "RSA of 1,024 bits": lambda: generate_rsa_key(65537, 1024),  # noqa: S505
    "RSA of 2,047 bits": lambda: generate_rsa_key(65537, 2047),  # noqa: S505
    "DSA": lambda: generate_dsa_key(1024),  # noqa: S505
    "P-224": lambda: generate_private_key(SECP224R1()),
    "secp256k1": lambda: generate_private_key(SECP256K1()),
    "Ed448": Ed448PrivateKey.generate,
    "X25519": X25519PrivateKey.generate,
    "X448": X448PrivateKey.generate,
}


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "s3cret")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, EC_KEY.public_key(), 1, day, day)
    return builder.sign(EC_KEY, SHA256()).public_bytes(Encoding.PEM)


def of_unknown_type() -> bytes:
    """Replace the object identifier of EC keys, for which cryptography raises no ValueError."""
    der = EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    der = der.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0202"))
    text = base64.encodebytes(der)
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def encrypted(form: PrivateFormat) -> bytes:
    return EC_KEY.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"s3cret"))


NO_KEYS: Mapping[str, bytes] = {
    "empty": b"",
    "white space": b" \n",
    "garbage": b"s3cret",
    "an unknown type": of_unknown_type(),
    "bytes": bytes(range(256)),
    "a public key": PUBLIC_PEM,
    "a certificate": certificate(),
    "DER": EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    "OpenSSH": EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    "a JWK": b'{"kty": "oct", "k": "czNjcmV0"}',
    "UTF-16": PEM.decode().encode("utf-16"),
    "truncated": PEM[:-30],
    "an empty block": b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "another label": PEM.replace(b"PRIVATE KEY", b"PUBLIC KEY"),
    "a path": b"/etc/s3cret.pem",
}


WRONG_TYPE = "must hold a key of RSA (2,048 bits or more), EC (P-256, -384, -521) or Ed25519"


def parsed(pem: bytes) -> str:
    return parse_signing_key(pem).alg


def error_of(pem: bytes) -> str | None:
    """Return why a key is rejected; ``None`` if it is accepted."""
    try:
        parsed(pem)
    except ValueError as error:
        return str(error)
    return None


class TestSigningKey:
    @pytest.mark.parametrize("alg", MAKE_KEY)
    def test_signs_with_the_algorithm_of_its_type(self, alg: str) -> None:
        keys = KeyPair.made(alg)
        signed = keys.read(keys.signing.sign(b'{"x": 1}'))
        assert signed.header == {"alg": alg, "typ": "JWT"}
        assert signed.claims == {"x": 1}
        assert keys.signing.alg == alg

    def test_hides_its_key_in_its_repr(self) -> None:
        assert repr(usual_keys().signing) == "SigningKey(alg='ES256')"


class TestParsing:
    @pytest.mark.parametrize(
        "pem",
        [
            EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
            P256_PARAMETERS + PEM,
            PUBLIC_PEM + PEM,
            b"a comment\n" + PEM + b"\n",
            PEM.replace(b"\n", b"\r\n"),
        ],
        ids=["traditional", "parameters first", "public key first", "text around", "CRLF"],
    )
    def test_accepts_every_usual_form(self, pem: bytes) -> None:
        assert parsed(pem) == "ES256"

    def test_accepts_traditional_rsa(self) -> None:
        key = generate_rsa_key(65537, 2048)
        form = PrivateFormat.TraditionalOpenSSL
        assert parsed(key.private_bytes(Encoding.PEM, form, NoEncryption())) == "RS256"

    def test_rejects_keys_of_other_types_and_lengths(self) -> None:
        pems = {
            name: make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            for name, make in UNSUPPORTED.items()
        }
        errors = {name: error_of(pem) for name, pem in pems.items()}
        assert errors == dict.fromkeys(UNSUPPORTED, WRONG_TYPE)

    def test_rejects_what_is_not_a_private_key(self) -> None:
        errors = {name: error_of(pem) for name, pem in NO_KEYS.items()}
        assert errors == dict.fromkeys(NO_KEYS, "must hold a private key in PEM")

    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_rejects_encrypted_keys(self, form: PrivateFormat) -> None:
        with pytest.raises(
            ValueError, match=r"^must hold a private key in PEM that is not encrypted$"
        ):
            parsed(encrypted(form))

    @given(at=st.integers(0, len(PEM) - 1), byte=st.integers(0, 255))
    def test_raises_only_value_error_for_a_damaged_key(self, at: int, byte: int) -> None:
        damaged = PEM[:at] + bytes([byte]) + PEM[at + 1 :]
        with suppress(ValueError):
            parsed(damaged)
