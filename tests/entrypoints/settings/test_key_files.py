"""Files of keys that hold something else."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from tests.adapters.identity.cases.bad_key_files import certificate, rewritten
from tests.adapters.identity.cases.keys import signer, to_json
from tests.entrypoints.settings.test_settings import problem

PUBLIC = "AUTH_JWT_PUBLIC_KEY_PATH"
PRIVATE = "AUTH_SIGNING_KEY_PATH"
UNREADABLE = "that is damaged, or of another type or length"


def private_key(
    encoding: Encoding = Encoding.PEM,
    form: PrivateFormat = PrivateFormat.PKCS8,
    *,
    is_encrypted: bool = False,
) -> bytes:
    algorithm = BestAvailableEncryption(b"s3cret") if is_encrypted else NoEncryption()
    return signer("ES256").private.private_bytes(encoding, form, algorithm)


def request() -> bytes:
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    return builder.sign(signer("RS256").private, SHA256()).public_bytes(Encoding.PEM)


def key_store() -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"s3cret", signer("RS256").private, None, None, NoEncryption()
    )


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


UNEXPECTED_BY_BOTH: Mapping[str, Callable[[], bytes]] = {
    "a certificate": certificate,
    "a certificate in DER": lambda: der(certificate()),
    "a certificate request": request,
    "a private key of OpenSSH": lambda: private_key(form=PrivateFormat.OpenSSH),
    "a public key of OpenSSH": lambda: rewritten("ES256", Encoding.OpenSSH, PublicFormat.OpenSSH),
    "a private key of PuTTY": lambda: b"PuTTY-User-Key-File-3: ssh-ed25519\n",
    "an encrypted private key": lambda: private_key(is_encrypted=True),
    "DER, a binary form": lambda: private_key(Encoding.DER),
    "PKCS #12": key_store,
    "a key of PGP": lambda: b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    "text in UTF-16": lambda: private_key().decode().encode("utf-16"),
    "base64 without the lines of PEM around it": lambda: b"".join(
        signer("RS256").pem.splitlines()[1:-1]
    ),
}
"""Files by what the message says that they hold."""


@pytest.fixture
def error_of(tmp_path: Path) -> Callable[[str, bytes], str]:
    """Load settings with a file of this content; give the end of the error's text."""

    def error_of(name: str, content: bytes) -> str:
        path = tmp_path / "s3cret"
        path.write_bytes(content)
        text = problem({name: str(path)})
        assert text.startswith((f"{name}: must hold ", f"{name}: is not a key set")), text
        assert "s3cret" not in text
        return text.rpartition("; ")[2]

    return error_of


class TestKeyFiles:
    @pytest.mark.parametrize("name", [PUBLIC, PRIVATE])
    def test_are_named_as_what_they_are(
        self, name: str, error_of: Callable[[str, bytes], str]
    ) -> None:
        texts = {kind: error_of(name, make()) for kind, make in UNEXPECTED_BY_BOTH.items()}
        assert texts == {kind: f"the file holds {kind}" for kind in UNEXPECTED_BY_BOTH}

    def test_are_told_apart(self, error_of: Callable[[str, bytes], str]) -> None:
        public, jwk = signer("ES256").pem, to_json(signer("ES256").jwk)
        traditional = private_key(form=PrivateFormat.TraditionalOpenSSL, is_encrypted=True)
        escaped = private_key().replace(b"\n", rb"\n")
        cases = [
            (PUBLIC, private_key(), "the file holds a private key"),
            (PUBLIC, public + private_key(), "the file holds a private key"),
            (PUBLIC, public + certificate(), "the file holds a certificate"),
            (PUBLIC, public[:99], f"the file holds a public key {UNREADABLE}"),
            (PUBLIC, signer("", kind="P-384").pem, f"the file holds a public key {UNREADABLE}"),
            (PUBLIC, b"\xef\xbb\xbf{}", "the file holds a byte order mark (BOM)"),
            (PUBLIC, jwk, f'{PUBLIC}: is not a key set: {{"keys": [...]}}'),
            (PUBLIC, b"[" + jwk + b"]", "the file holds a key in JSON (JWK)"),
            (PRIVATE, public, "the file holds a public key"),
            (PRIVATE, private_key()[:99], f"the file holds a private key {UNREADABLE}"),
            (PRIVATE, escaped, r"the file holds \n in place of line breaks"),
            (PRIVATE, traditional, "the file holds an encrypted private key"),
            (PRIVATE, jwk, "the file holds a key in JSON (JWK)"),
            (PRIVATE, b'["s3cret"]', "the file holds JSON"),
        ]
        wrong = {
            text: found
            for name, content, text in cases
            if (found := error_of(name, content)) != text
        }
        assert wrong == {}

    def test_may_be_empty_and_are_called_so(self, error_of: Callable[[str, bytes], str]) -> None:
        texts = {
            (name, content): error_of(name, content)
            for name in (PUBLIC, PRIVATE)
            for content in (b"", b"\n", b" \r\n")
        }
        assert set(texts.values()) == {"the file is empty"}

    def test_may_have_windows_line_ends_and_a_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "keys"
        for before, change in ((b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n")):
            path.write_bytes(before + signer("ES256").pem.replace(b"\n", change))
            assert problem({PUBLIC: str(path)}) == "accepted"
            path.write_bytes(before + private_key().replace(b"\n", change))
            service = {"AUTH_SERVICE_URL": "https://auth.example.com"}
            assert problem({PRIVATE: str(path), **service}) == "accepted"
