from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def write_key(path: Path, *, private: bool) -> str:
    """Write a new key in PEM, and return the path."""
    if private:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        public = ed25519.Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(pem)
    return str(path)


@pytest.fixture
def public_key(tmp_path: Path) -> str:
    """A file with a public key."""
    return write_key(tmp_path / "public.pem", private=False)


@pytest.fixture
def signing_key(tmp_path: Path) -> str:
    """A file with a private key."""
    return write_key(tmp_path / "private.pem", private=True)
