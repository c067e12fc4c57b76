"""What is said of LiveKit's certificate, which whoever answers there may have chosen."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from entrypoints.check.way import describe

UNREADABLE = ("of a form that cannot be shown", 7)
TEXT, BITS = 0x0C, 0x03  # tags of ASN.1: UTF8String, BIT STRING


def issued_by(name: bytes, *, tag: int = TEXT) -> bytes:
    """Make a certificate; the issuer's name has eight bytes."""
    key, day = Ed25519PrivateKey.generate(), datetime(2026, 1, 1, tzinfo=UTC)
    common_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "8 bytes.")])
    builder = x509.CertificateBuilder(common_name, common_name, key.public_key(), 1, day, day)
    der = builder.sign(key, None).public_bytes(Encoding.DER)
    return der.replace(b"\x0c\x088 bytes.", bytes([tag, 8]) + name)


class TestDescribe:
    def test_names_the_issuer(self) -> None:
        assert describe(issued_by(b"somebody"))[0] == "invalid since 2026-01-01, issued by somebody"

    @pytest.mark.parametrize(
        "der", [b"no certificate", issued_by(b"\xff\xfe utf8."), issued_by(b"\0a text.", tag=BITS)]
    )
    def test_does_not_fail_where_only_openssl_can_read_it(self, der: bytes) -> None:
        assert describe(der) == UNREADABLE
