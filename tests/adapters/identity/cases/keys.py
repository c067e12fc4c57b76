"""An issuer's key pairs, generated in each run, and tokens signed with them.

joserfc makes the tokens that PyJWT verifies, so that a bug of one is not hidden by the other.
Tokens that have to be wrong in one respect are built here, and their signature is valid.
"""

import base64
import json
import warnings
from collections.abc import Mapping
from functools import cache

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
NOW = 1_800_000_000
ISSUER = "https://issuer.s3cret.example"
AUDIENCE = "livekit-mute-s3cret"
CLAIMS: Mapping[str, object] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "tenant-a",
    "iat": NOW - 60,
    "nbf": NOW - 60,
    "exp": NOW + 600,
    "jti": "s3cret",
}
"""The claims of a valid token for the demo tenant."""
EXPIRED: Mapping[str, object] = {**CLAIMS, "exp": NOW - 86_400}
"""For tokens that must be refused before their claims are read: no other software accepts them."""

Key = RSAKey | ECKey | OKPKey
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey

_HASHES: Mapping[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_json(value: object) -> bytes:
    """Encode compact JSON, including lone surrogates and NaN."""
    return json.dumps(value, separators=(",", ":")).encode()


@frozen(eq=False)
class Signer:
    """A key pair and the algorithm that it signs with."""

    alg: str
    kid: str
    key: Key = field(repr=False)

    @property
    def private(self) -> PrivateKey:
        private = self.key.private_key
        assert isinstance(private, PrivateKey)
        return private

    @property
    def jwk(self) -> dict[str, object]:
        """The public key, as the issuer publishes it."""
        return {**self.key.as_dict(private=False), "alg": self.alg, "kid": self.kid}

    @property
    def pem(self) -> bytes:
        return self.key.as_pem(private=False)

    def sign(self, claims: Mapping[str, object], **header: object) -> str:
        """Make a token with joserfc."""
        named = {"alg": self.alg, "kid": self.kid, **header}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # EdDSA is renamed in RFC 9864
            return jwt.encode(named, dict(claims), self.key, algorithms=[self.alg])

    def seal(self, header: bytes, payload: bytes) -> str:
        """Make a token of any header and payload."""
        return self.seal_text(f"{b64(header)}.{b64(payload)}")

    def seal_text(self, text: str) -> str:
        return f"{text}.{b64(self.signature(text.encode()))}"

    def signature(self, data: bytes) -> bytes:
        """Sign with cryptography."""
        match self.private:
            case RSAPrivateKey() as rsa:
                return rsa.sign(data, _padding(self.alg), _hash(self.alg))
            case EllipticCurvePrivateKey() as ec:
                r, s = decode_dss_signature(ec.sign(data, ECDSA(_hash(self.alg))))
                return ec_signature(r, s, bits=ec.key_size)
            case edwards:
                return edwards.sign(data)


def ec_signature(r: int, s: int, *, bits: int = 256) -> bytes:
    return b"".join(number.to_bytes((bits + 7) // 8) for number in (r, s))


def _hash(alg: str) -> HashAlgorithm:
    return _HASHES.get(alg[2:5], SHA256())


def _padding(alg: str) -> AsymmetricPadding:
    if alg.startswith("PS"):
        return PSS(mgf=MGF1(_hash(alg)), salt_length=_hash(alg).digest_size)
    return PKCS1v15()


def signer(alg: str, kid: str | None = None, kind: str | None = None) -> Signer:
    """Return the key pair with this ``kid``, by default the algorithm's name; cached."""
    return _signer(alg, kid or alg, kind or alg)


@cache
def _signer(alg: str, kid: str, kind: str) -> Signer:
    return Signer(alg, kid, _generate(kind))


def _generate(kind: str) -> Key:
    """Generate a key for an algorithm, on a curve, or for RSA of so many bits."""
    match kind:
        case "ES256":
            return ECKey.generate_key("P-256")
        case "EdDSA":
            return OKPKey.generate_key("Ed25519")
        case "Ed448" | "X25519":
            return OKPKey.generate_key(kind)
        case "P-384" | "P-521" | "secp256k1":
            return ECKey.generate_key(kind)
        case _:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # 1,024 bits, on purpose
                return RSAKey.generate_key(int(kind) if kind.isdecimal() else 2048)
