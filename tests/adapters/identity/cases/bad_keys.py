"""Keys that an issuer may publish and that must not be used; and tokens signed with them."""

import hmac
from collections.abc import Iterable, Mapping

from attrs import field, frozen
from typing_extensions import override

from tests.adapters.identity.cases.keys import EXPIRED, Signer, b64, signer, to_json

_SECRET = b"s3cret-of-thirty-two-bytes-or-more"


@frozen(kw_only=True)
class UnusableKey:
    """A key that is unusable because of its ``kind``, or of ``changes`` to its public part."""

    alg: str = "ES256"
    kind: str | None = None
    changes: Mapping[str, object] = field(factory=dict)
    with_private_part: bool = False

    @property
    def signer(self) -> Signer:
        return signer(self.alg, f"unusable {self.kind}", self.kind or self.alg)

    def published(self, kid: str) -> dict[str, object]:
        private = self.signer.key.as_dict(private=True) if self.with_private_part else {}
        return {**self.signer.jwk, **private, "kid": kid, **self.changes}

    def token(self, kid: str) -> str:
        return self.signer.seal(to_json({"alg": self.alg, "kid": kid}), to_json(EXPIRED))


@frozen
class SharedSecret(UnusableKey):
    """An HMAC key, with which anyone could sign."""

    @override
    def published(self, kid: str) -> dict[str, object]:
        return {"kty": "oct", "k": b64(_SECRET), "alg": "HS256", "kid": kid}

    @override
    def token(self, kid: str) -> str:
        text = f"{b64(to_json({'alg': 'HS256', 'kid': kid}))}.{b64(to_json(EXPIRED))}"
        return f"{text}.{b64(hmac.digest(_SECRET, text.encode(), 'sha256'))}"


def _changed(name: str, values: Iterable[object]) -> Mapping[str, UnusableKey]:
    return {f"{name} is {value!r}": UnusableKey(changes={name: value}) for value in values}


UNUSABLE_KEYS: Mapping[str, UnusableKey] = {
    **_changed("use", ["enc", "SIG", 1, ["sig"]]),
    **_changed("key_ops", [["sign"], ["encrypt"], "verify", {"verify": True}]),
    **_changed("alg", ["ES384", "RS256", "HS256", "none", "es256", ["ES256"]]),
    **_changed("kty", ["RSA", "OKP", "oct", "ec", "", None, 1, ["EC"]]),
    **_changed("crv", ["P-384", "p-256", "secp256k1", "Ed25519", None, 256]),
    **_changed("d", ["s3cret", {}, 0]),
    **_changed("k", ["s3cret"]),
    **{
        f"RSA with its {name}": UnusableKey(alg="RS256", changes={name: "AQAB"})
        for name in ("d", "p", "q", "dp", "dq", "qi", "oth")
    },
    "RSA for encryption": UnusableKey(alg="RS256", changes={"use": "enc"}),
    "RSA that wraps keys": UnusableKey(alg="RS256", changes={"key_ops": ["wrapKey"]}),
    "RSA with the alg of an encryption": UnusableKey(alg="RS256", changes={"alg": "RSA-OAEP"}),
    "RSA with the alg of a longer hash": UnusableKey(alg="RS256", changes={"alg": "RS512"}),
    "RSA of 1,024 bits": UnusableKey(alg="RS256", kind="1024"),
    "RSA of 2,040 bits": UnusableKey(alg="PS256", kind="2040"),
    "RSA published with its private part": UnusableKey(alg="RS256", with_private_part=True),
    "P-256 published with its private part": UnusableKey(with_private_part=True),
    "P-384": UnusableKey(kind="P-384"),
    "P-384 with its own alg": UnusableKey(alg="ES384", kind="P-384"),
    "P-521 with its own alg": UnusableKey(alg="ES512", kind="P-521"),
    "secp256k1": UnusableKey(kind="secp256k1"),
    "secp256k1 with its own alg": UnusableKey(alg="ES256K", kind="secp256k1"),
    "secp256k1 called P-256": UnusableKey(kind="secp256k1", changes={"crv": "P-256"}),
    "Ed25519 for encryption": UnusableKey(alg="EdDSA", changes={"use": "enc"}),
    "Ed25519 published with its private part": UnusableKey(alg="EdDSA", with_private_part=True),
    "Ed25519 called X25519": UnusableKey(alg="EdDSA", changes={"crv": "X25519"}),
    "Ed448": UnusableKey(alg="EdDSA", kind="Ed448"),
    "a shared secret": SharedSecret(),
}
