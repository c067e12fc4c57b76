"""Key sets in the shapes in which well-known issuers publish them, with generated keys.

The members, their order and the kinds of ``kid`` are those of each product's documents or of its
source; numbers and certificates are generated.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1, sha256

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.adapters.identity.cases.keys import Signer, b64, signer

_NO_USE = "use is not sig"
_ALG_OF_RSA = "alg is not RS256 or PS256"
_CURVE = "crv is not P-256 or Ed25519"


@frozen
class Published:
    """A key of a set; ``why_not`` says why it is not used, if it is not."""

    entry: Mapping[str, object]
    signer: Signer | None = None
    why_not: str | None = field(default=None, kw_only=True)


def _public(key: Signer) -> Mapping[str, object]:
    """Return the members that are the key itself."""
    return {name: value for name, value in key.jwk.items() if name not in ("alg", "kid")}


def _key(alg: str, kid: str, /, *, why_not: str | None = None, **members: object) -> Published:
    """Publish a key of its own under a ``kid``, with members in addition to those of the key."""
    made = signer(alg, kid)
    return Published({**_public(made), "kid": kid, **members}, made, why_not=why_not)


def _rsa(kid: str, why_not: str | None = None, **members: object) -> Published:
    return _key("RS256", kid, why_not=why_not, **{"use": "sig", "alg": "RS256", **members})


def _with_chain(published: Published) -> Published:
    """Add the certificate of a key, and its thumbprints."""
    assert published.signer is not None
    private, now = published.signer.private, datetime.now(UTC)
    assert isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.sign(private, SHA256()).public_bytes(Encoding.DER)
    chain = {
        "x5c": [base64.b64encode(certificate).decode()],
        "x5t": b64(sha1(certificate).digest()),  # noqa: S324 - as RFC 7517 defines it
        "x5t#S256": b64(sha256(certificate).digest()),
    }
    return Published({**published.entry, **chain}, published.signer, why_not=published.why_not)


def _without(published: Published, *names: str) -> Published:
    members = {name: value for name, value in published.entry.items() if name not in names}
    return Published(members, published.signer, why_not=published.why_not)


def _of_kind(kind: str, alg: str, kid: str, why_not: str, /, **members: object) -> Published:
    made = signer(alg, kid, kind)
    entry = {**_public(made), "kid": kid, "alg": alg, "use": "sig", **members}
    return Published(entry, made, why_not=why_not)


_DOTNET_EMPTY: Mapping[str, object] = {
    **dict.fromkeys(("alg", "crv", "d", "dp", "dq", "k", "p", "q", "qi", "use", "x", "y")),
    **dict.fromkeys(("keyId", "x5t", "x5t#S256", "x5u")),
    "key_ops": [],
    "oth": None,
    "x5c": [],
    "keySize": 2048,
    "hasPrivateKey": False,
    "additionalData": {},
    "cryptoProviderFactory": {"customCryptoProvider": None, "cacheSignatureProviders": True},
}
"""What .NET's ``JsonWebKey`` has beside a public RSA key, if all of it is serialised."""


def _dotnet(kid: str | None, **members: object) -> Published:
    made = signer("RS256", f"dotnet {kid} {members.get('alg')}")
    entry = {**_DOTNET_EMPTY, **_public(made), "kid": kid, **members}
    return Published(entry, made)


@cache
def issuers() -> Mapping[str, Sequence[Published]]:
    """Return the keys of each issuer, in its order."""
    return {
        "Auth0": [
            _without(_with_chain(_rsa("NkFDQ0E4NzY0OTg4RjY4QjA")), "x5t#S256"),
            _without(_with_chain(_rsa("SWbfHXKzSsDwBXSv4oGBS")), "x5t#S256"),
        ],
        "Okta": [_rsa("U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM")],
        "Entra ID": [
            _without(
                _with_chain(
                    _rsa(
                        kid,
                        cloud_instance_name="microsoftonline.com",
                        issuer="https://login.microsoftonline.com/{tenantid}/v2.0",
                    )
                ),
                "alg",
                "x5t#S256",
            )
            for kid in ("JDNa_4i4r7FgigL3sHIlI3xV-IU", "imi0Y2z0dYKxBttAqK_Tt5hYBTk")
        ],
        "Keycloak": [
            _with_chain(_key("RS256", "Qd1cnMfh0", use="enc", alg="RSA-OAEP", why_not=_NO_USE)),
            _with_chain(_rsa("p8dcZUwGZ")),
            _key("ES256", "a8Q-EC", use="sig", alg="ES256"),
            _key("EdDSA", "b2-Ed", use="sig", alg="EdDSA"),
            _of_kind("P-521", "ES512", "c3-EC", _CURVE),
            _rsa("d4-RS512", alg="RS512", why_not=_ALG_OF_RSA),
        ],
        "Cognito": [
            _rsa("1234example="),
            _rsa("5678example="),
        ],
        "Google": [
            _rsa("d7f1b2a6c8e94b0f1a2b3c4d5e6f708192a3b4c5"),
            _rsa("e8a2c3b7d9fa5c102b3c4d5e6f708192a3b4c5d6"),
        ],
        "Apple": [_rsa("fh6Bs8C"), _rsa("W6WcOKB"), _rsa("lVHdOx8ltR")],
        "ZITADEL": [_rsa("251416519013531650"), _rsa("251416519013531651")],
        "Ory Hydra": [
            _rsa("public:hydra.openid.id-token"),
            _rsa("b1a1c7e2-6d0e-4f0a-9f7c-3a52f0c9f4de"),
            _key("ES256", "0f5d1c3a-ec", use="sig", alg="ES256"),
        ],
        "Duende IdentityServer": [
            _rsa("F1A6C5B8D4E2930718F6E5D4C3B2A190"),
            _key("ES256", "2C1D5A8E7B", use="sig", alg="ES256"),
            _key("PS256", "9E8D7C6B5A", use="sig", alg="PS256"),
        ],
        ".NET, every member of JsonWebKey": [
            _dotnet("DOTNET-1"),
            _dotnet("DOTNET-2", alg="RS256", use="sig", oth=[], key_ops=None),
            _dotnet(None, alg="", use="", x5t="", x5c=None),
            _dotnet("", alg="RS256"),
        ],
        "OpenIddict": [
            _without(_with_chain(_rsa("A2C4E6081A3C5E70A2C4E6081A3C5E70")), "x5t#S256"),
        ],
        "Spring Authorization Server": [
            _without(_rsa("5f6a0c4e-2c3d-4d43-9f1e-1a2b3c4d5e6f"), "use", "alg"),
        ],
        "Dex": [_rsa(f"{number:040x}") for number in (11, 12, 13)],
        "Authentik": [
            _with_chain(_rsa("1b2c3d4e5f60718293a4b5c6d7e8f901")),
            _with_chain(_key("RS256", "1b2c-enc", use="enc", alg="RSA-OAEP-256", why_not=_NO_USE)),
        ],
        "PingOne": [
            _with_chain(_rsa("default")),
            _key("ES256", "ec-1", use="sig"),
            _without(_of_kind("P-384", "ES384", "ec-2", _CURVE), "alg"),
            _without(_of_kind("P-521", "ES512", "ec-3", _CURVE), "alg"),
        ],
        "Supabase": [
            _key("ES256", "b81269f1-21d8", alg="ES256", ext=True, key_ops=["verify"], use="sig"),
        ],
        "node-oidc-provider": [
            _rsa("keystore-CHANGE-ME"),
            _key("EdDSA", "ed-25519", use="sig", alg="EdDSA"),
            _of_kind("X25519", "ECDH-ES", "x-25519", _NO_USE, use="enc"),
            _of_kind("secp256k1", "ES256K", "k-256", _CURVE),
            _of_kind("Ed448", "EdDSA", "ed-448", _CURVE),
        ],
        "an issuer with keys of every other kind": [
            _key("ES256", "good", use="sig", alg="ES256"),
            Published(
                {
                    "kty": "oct",
                    "kid": "hmac",
                    "k": "c2VjcmV0LXNlY3JldA",
                    "alg": "HS256",
                    "use": "sig",
                },
                why_not="a shared secret (kty is oct)",
            ),
            Published(
                {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AAAA", "use": "sig"},
                why_not="kty is not RSA, EC or OKP",
            ),
            Published({"kid": "no-type", "n": "AQAB"}, why_not="kty is not RSA, EC or OKP"),
            Published({"kty": "RSA", "kid": "chain", "x5c": ["AAAA"]}, why_not="malformed"),
            _key("ES256", "signs", key_ops=["sign"], why_not="key_ops does not contain verify"),
            _key("ES256", "private", d="AQAB", why_not="published with its private part"),
            _of_kind("1024", "RS256", "short", "too short, too long or weak"),
        ],
    }
