"""Texts that are not a signed token in compact form, or not in its canonical encoding.

All but the encrypted ones have a valid signature; they are expired, so that no library accepts one.
"""

from collections.abc import Callable, Mapping
from itertools import count

from joserfc import jwe
from joserfc.jwk import OctKey

from tests.adapters.identity.cases.keys import EXPIRED, b64, signer, to_json

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEADER = {"alg": "ES256", "kid": "ES256"}
_NONE = b'{"alg":"none"}'


def _of_length(data: bytes, modulo_3: int) -> bytes:
    """Pad JSON with spaces, so that base64 pads it with none, two or one ``=``."""
    return next(data + b" " * n for n in count() if (len(data) + n) % 3 == modulo_3)


def _segments(modulo_3: int = 1, **claims: object) -> tuple[str, str]:
    header, payload = to_json(_HEADER), to_json({**EXPIRED, **claims})
    return b64(_of_length(header, modulo_3)), b64(_of_length(payload, modulo_3))


def _good() -> str:
    return signer("ES256").seal(to_json(_HEADER), to_json(EXPIRED))


def _sealed(rewrite: Callable[[str, str], str], *, modulo_3: int = 1, **claims: object) -> str:
    """Sign a header and a payload after rewriting them."""
    return signer("ES256").seal_text(rewrite(*_segments(modulo_3, **claims)))


def _with_spare_bits(segment: str) -> str:
    """Set bits of the last character that decoders ignore."""
    return segment[:-1] + _ALPHABET[_ALPHABET.index(segment[-1]) + 1]


def _in_standard_alphabet(letter: str, replacement: str) -> str:
    return _sealed(
        lambda head, payload: f"{head}.{payload.replace(letter, replacement)}", x="???>>>???>>>"
    )


def _in_json(*, general: bool) -> str:
    protected, payload, signature = _good().split(".")
    signed = {"protected": protected, "signature": signature}
    return to_json(
        {"payload": payload, "signatures": [signed]} if general else {"payload": payload, **signed}
    ).decode()


def _encrypted(alg: str, content: bytes) -> str:
    key = OctKey.import_key(b"s3cret-of-exactly-32-bytes-so---") if alg == "dir" else None
    return jwe.encrypt_compact(
        {"alg": alg, "enc": "A256GCM"}, content, key or signer("RS256").key, [alg, "A256GCM"]
    )


_SEGMENTS: Mapping[str, Callable[[], str]] = {
    "an empty text": lambda: "",
    "two dots": lambda: "..",
    "no dots": lambda: _good().replace(".", ""),
    "no signature": lambda: _good().rpartition(".")[0],
    "an empty signature": lambda: f"{_good().rpartition('.')[0]}.",
    "alg none and an empty signature": lambda: f"{b64(_NONE)}.{_segments()[1]}.",
    "an empty payload": lambda: _sealed(lambda head, _payload: f"{head}."),
    "an empty header": lambda: _sealed(lambda _head, payload: f".{payload}"),
    "four segments": lambda: f"{_good()}.e30",
    "four segments, signed": lambda: _sealed(lambda head, payload: f"{head}.e30.{payload}"),
    "five segments": lambda: f"{_good()}.e30.e30",
    "a dot before it": lambda: f".{_good()}",
    "a dot after it": lambda: f"{_good()}.",
    "twice the same": lambda: f"{_good()}{_good()}",
    "JSON, flattened": lambda: _in_json(general=False),
    "JSON, general": lambda: _in_json(general=True),
    "encrypted for RSA": lambda: _encrypted("RSA-OAEP", to_json(EXPIRED)),
    "encrypted directly": lambda: _encrypted("dir", to_json(EXPIRED)),
    "encrypted and signed": lambda: _encrypted("RSA-OAEP", _good().encode()),
}

_SPELLING: Mapping[str, Callable[[], str]] = {
    "a padded header": lambda: _sealed(lambda head, payload: f"{head}==.{payload}"),
    "a padded payload": lambda: _sealed(lambda head, payload: f"{head}.{payload}=="),
    "a payload padded with one": lambda: _sealed(lambda h, payload: f"{h}.{payload}=", modulo_3=2),
    "a padded signature": lambda: f"{_good()}==",
    "too much padding": lambda: f"{_good()}====",
    "spare bits in the header": lambda: _sealed(
        lambda head, pay: f"{_with_spare_bits(head)}.{pay}"
    ),
    "spare bits in the payload": lambda: _sealed(
        lambda head, pay: f"{head}.{_with_spare_bits(pay)}"
    ),
    "spare bits in the signature": lambda: _with_spare_bits(_good()),
    "a slash for an underscore": lambda: _in_standard_alphabet("_", "/"),
    "a plus for a hyphen": lambda: _in_standard_alphabet("-", "+"),
    "a character too many": lambda: _sealed(lambda head, pay: f"{head}.{pay}A", modulo_3=0),
    "a character too many in the signature": lambda: f"{_good()}AAA",
    "a space in the payload": lambda: _sealed(lambda head, pay: f"{head}.{pay[:8]} {pay[8:]}"),
    "a line feed in the payload": lambda: _sealed(lambda head, pay: f"{head}.{pay[:8]}\n{pay[8:]}"),
    "a hash sign in the payload": lambda: _sealed(lambda head, pay: f"{head}.{pay[:8]}#{pay[8:]}"),
    "a space before it": lambda: f" {_good()}",
    "a space after it": lambda: f"{_good()} ",
    "a line feed after it": lambda: f"{_good()}\n",
    "a NUL after it": lambda: f"{_good()}\0",
    "a byte order mark before it": lambda: f"\ufeff{_good()}",
    "quotes around it": lambda: f'"{_good()}"',
    "its scheme before it": lambda: f"Bearer {_good()}",
    "percent-encoded dots": lambda: _good().replace(".", "%2E"),
    "dots of another script": lambda: _good().replace(".", "\u3002"),
    "a letter of another width": lambda: _good().replace("e", "\uff45", 1),
    "a letter with an accent": lambda: f"{_good()}\u00e9",
    "a digit of another script": lambda: _sealed(lambda head, pay: f"{head}.{pay}\u0661"),
    "a lone surrogate": lambda: f"{_good()}\udc80",
    "a character beyond the BMP": lambda: f"{_good()}\U0001f511",
}

BAD_SHAPES: Mapping[str, Callable[[], str]] = {**_SEGMENTS, **_SPELLING}

NESTED: Mapping[str, Callable[[], str]] = {
    "signed twice": lambda: signer("ES256").seal(to_json(_HEADER), _good().encode()),
    "signed twice, as a string": lambda: signer("ES256").seal(to_json(_HEADER), to_json(_good())),
}
"""Signed tokens whose payload is another token."""
