"""Files of keys, and what one holds instead of the key that was expected."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeVar

from entrypoints.settings.files import file

T = TypeVar("T")

_ENCRYPTED = "an encrypted private key"
_KINDS: Mapping[str, str] = {
    "PUBLIC KEY": "a public key",
    "RSA PUBLIC KEY": "a public key",
    "PRIVATE KEY": "a private key",
    "RSA PRIVATE KEY": "a private key",
    "EC PRIVATE KEY": "a private key",
    "DSA PRIVATE KEY": "a private key",
    "ENCRYPTED PRIVATE KEY": _ENCRYPTED,
    "OPENSSH PRIVATE KEY": "a private key of OpenSSH",
    "CERTIFICATE": "a certificate",
    "X509 CERTIFICATE": "a certificate",
    "TRUSTED CERTIFICATE": "a certificate",
    "CERTIFICATE REQUEST": "a certificate request",
    "NEW CERTIFICATE REQUEST": "a certificate request",
    "PKCS7": "certificates in PKCS #7",
    "PGP PUBLIC KEY BLOCK": "a key of PGP",
    "PGP PRIVATE KEY BLOCK": "a key of PGP",
}
"""What a block in PEM holds, by its label; others, such as EC PARAMETERS, may stand beside it."""
_BEGINNINGS: Mapping[str, bytes] = {
    "a byte order mark (BOM)": rb"\xef\xbb\xbf",
    "text in UTF-16": rb"\xff\xfe|\xfe\xff|[\t -~]\x00|\x00[\t -~]",
    "a public key of OpenSSH": rb"(ssh|ecdsa|sk)-[a-z0-9@.-]+ |---- BEGIN SSH2 ",
    "a private key of PuTTY": rb"PuTTY-User-Key-File",
    "a Java key store": rb"\xfe\xed\xfe\xed",
    "PKCS #12": rb"\x30[\x80-\x84].{0,4}?\x02\x01\x03\x30",
    "a certificate in DER": rb"\x30[\x81-\x84].{1,4}?\x30[\x81-\x84].{1,4}?\xa0\x03\x02\x01",
    "DER, a binary form": rb"\x30[\x80-\x84]|\x30.[\x02\x30]",
    "a key in JSON (JWK)": rb"\s*[\[{].*\"kty\"",
    "JSON": rb"\s*[\[{]",
    "base64 without the lines of PEM around it": rb"[A-Za-z0-9+/=\s]{40,}\Z",
}
"""What a file without PEM holds, each with the pattern of its beginning."""


def key_file(
    expected: Literal["a public key", "a private key"], parse: Callable[[bytes], T]
) -> Callable[[str], T]:
    """Make a parser of a path from a parser of keys; its errors also name what the file holds."""

    def parse_or_explain(content: bytes) -> T:
        try:
            return parse(content)
        except ValueError as error:
            raise ValueError("; ".join([str(error), *_explanation(content, expected)])) from None

    return file(parse_or_explain)


def _explanation(content: bytes, expected: str) -> list[str]:
    """Say what a file holds, as far as its form shows."""
    kinds = list(_kinds(content))
    unexpected = [kind for kind in kinds if kind != expected]
    if not content.strip():
        return ["the file is empty"]
    if expected == "a public key" and content.lstrip().startswith(b"{"):
        return []  # the parser has read it as a key set
    if unexpected:
        return [f"the file holds {unexpected[0]}"]
    if kinds and rb"\n" in content:
        return [r"the file holds \n in place of line breaks"]
    if kinds:
        return [f"the file holds {expected} that is damaged, or of another type or length"]
    return []


def _kinds(content: bytes) -> Iterator[str]:
    if b"Proc-Type: 4,ENCRYPTED" in content:
        yield _ENCRYPTED
    labels = re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----", content.decode("latin-1"))
    yield from (_KINDS[label] for label in labels if label in _KINDS)
    if not labels:
        patterns = _BEGINNINGS.items()
        yield from (kind for kind, pattern in patterns if re.match(pattern, content, re.DOTALL))
