"""Certificates, made for the test."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
CA_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""Required of an authority by Python 3.13, like the identifiers of keys."""


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@define
class Authority:
    folder: Path
    key: EllipticCurvePrivateKey = field(factory=lambda: generate_private_key(SECP256R1()))

    @property
    def file(self) -> Path:
        """Make a file with its own certificate."""
        path = self.folder / "ca.pem"
        path.write_bytes(self.sign("ca", self.key, DAY, is_ca=True).public_bytes(Encoding.PEM))
        return path

    def serve(self, *hosts: str, starts: timedelta = -DAY, own: bool = False) -> ssl.SSLContext:
        """Make the settings of a server with a certificate for hosts, of two days.

        Args:
            hosts: names and addresses.
            starts: when it begins to be valid, from now.
            own: whether it is signed by itself.
        """
        key = generate_private_key(SECP256R1())
        names: list[x509.GeneralName] = []
        for host in hosts:
            is_address = host[:1].isdigit() or ":" in host
            names.append(x509.IPAddress(ip_address(host)) if is_address else x509.DNSName(host))
        signer = Authority(self.folder, key) if own else self
        certificate = signer.sign("server" if own else "ca", key, starts, names=names)
        path = self.folder / "server.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def sign(
        self,
        issuer: str,
        key: EllipticCurvePrivateKey,
        starts: timedelta,
        *,
        names: list[x509.GeneralName] | None = None,
        is_ca: bool = False,
    ) -> x509.Certificate:
        begin = datetime.now(UTC) + (-DAY if is_ca else starts)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name("ca" if is_ca else "server"))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + 2 * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if is_ca:
            builder = builder.add_extension(CA_KEY_USAGE, critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, SHA256())
