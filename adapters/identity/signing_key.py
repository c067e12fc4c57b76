"""The private key that signs requests to the authentication service."""

import jwt
from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

_MIN_RSA_BITS = 2048
_ALGORITHM_OF_CURVE = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


@frozen(kw_only=True)
class SigningKey:
    """A private key and the algorithm for its type."""

    alg: str
    key: PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The public key, in DER."""
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, payload: bytes) -> str:
        """Return the payload as a signed token, in JWS compact form."""
        return jwt.PyJWS().encode(payload, self.key, algorithm=self.alg)


def parse_signing_key(pem: bytes) -> SigningKey:
    """Read an unencrypted private key in PEM.

    Raises:
        ValueError: the text is anything else.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("must hold a private key in PEM that is not encrypted") from None
    except Exception:  # noqa: BLE001 - cryptography 50.0.2 raises more than it documents
        raise ValueError("must hold a private key in PEM") from None
    match key:
        case RSAPrivateKey() if key.key_size >= _MIN_RSA_BITS:
            return SigningKey(alg="RS256", key=key)
        case EllipticCurvePrivateKey() if key.curve.name in _ALGORITHM_OF_CURVE:
            return SigningKey(alg=_ALGORITHM_OF_CURVE[key.curve.name], key=key)
        case Ed25519PrivateKey():
            return SigningKey(alg="EdDSA", key=key)
        case _:
            raise ValueError(
                "must hold a key of RSA (2,048 bits or more), EC (P-256, -384, -521) or Ed25519"
            )
