import secrets
from collections.abc import Iterator, Mapping

import pytest

from adapters.identity.jws import parse_jws
from adapters.identity.public_keys import PublicKeys, parse_key_set
from tests.adapters.identity.cases.bad_keys import UNUSABLE_KEYS
from tests.adapters.identity.cases.keys import ALGORITHMS, b64, signer, to_json

pytestmark = pytest.mark.robustness("key sets")

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the field of P-256
_ENTRY = to_json(signer("EdDSA").jwk)

NOT_A_NUMBER: tuple[object, ...] = (
    *(None, True, 0, -1.5, [], ["AQAB"], {}, {"n": "AQAB"}),
    *("", "A", "A===", "\u00f6", " ", "-"),
)
NUMBERS = [("RS256", "n"), ("RS256", "e"), ("ES256", "x"), ("ES256", "y"), ("EdDSA", "x")]


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def modulus(bits: int) -> str:
    """Encode a random modulus of a given length, which has no private key."""
    return number(1 << bits - 1 | secrets.randbits(bits - 1) | 1)


def coordinate(value: int) -> str:
    return b64(value.to_bytes(32))


MALFORMED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "RSA of 1,024 bits": ("RS256", {"n": modulus(1024)}),
    "RSA of 2,047 bits": ("RS256", {"n": modulus(2047)}),
    "RSA of 2,047 bits, filled up": (
        "RS256",
        {"n": b64(bytes(300) + b"\x7f" + secrets.token_bytes(254) + b"\1")},
    ),
    "RSA of 8,193 bits": ("RS256", {"n": modulus(8193)}),
    "RSA with e = 0": ("RS256", {"e": "AA"}),
    "RSA with e = 1": ("RS256", {"e": "AQ"}),
    "RSA with e = 2": ("RS256", {"e": "Ag"}),
    "RSA with e = 65,536": ("RS256", {"e": number(65536)}),
    "RSA with e larger than n": ("RS256", {"n": modulus(2048), "e": modulus(2049)}),
    "a point of zeros": ("ES256", {"x": coordinate(0), "y": coordinate(0)}),
    "a point off the curve": ("ES256", {"x": coordinate(1), "y": coordinate(1)}),
    "a point beyond the field": ("ES256", {"x": coordinate(_P), "y": coordinate(_P)}),
    "a short coordinate": ("ES256", {"x": b64(bytes(31))}),
    "a long coordinate": ("ES256", {"y": b64(bytes(33))}),
    "31 bytes of Ed25519": ("EdDSA", {"x": b64(b"\x01" * 31)}),
    "33 bytes of Ed25519": ("EdDSA", {"x": b64(b"\x01" * 33)}),
    "57 bytes of Ed25519": ("EdDSA", {"x": b64(b"\x01" * 57)}),
    "RSA called EC": ("RS256", {"kty": "EC"}),
    "P-256 called Ed25519": ("ES256", {"kty": "OKP", "crv": "Ed25519"}),
    **{f"kid is {kid!r}": ("ES256", {"kid": kid}) for kid in (True, 0, 1.5, ["ES256"], {"a": 1})},
}


def parse(*entries: object) -> PublicKeys:
    return parse_key_set(to_json({"keys": entries}))


def changed(alg: str, /, **members: object) -> dict[str, object]:
    return {**signer(alg).jwk, **members}


def lacking(alg: str, *names: str) -> dict[str, object]:
    return {name: value for name, value in signer(alg).jwk.items() if name not in names}


def verifies(keys: PublicKeys, alg: str) -> bool:
    """Return whether one of the keys verifies a token of the issuer."""
    return bool(keys.verify(parse_jws(signer(alg).seal(to_json({"alg": alg}), b"{}"))))


OPTIONAL = (
    *("kid", "use", "alg", "key_ops", "x5c", "x5t", "x5t#S256", "x5u"),
    *("d", "p", "q", "dp", "dq", "qi", "oth", "k"),
)
NO_VALUE: tuple[object, ...] = (None, "", [])
"""What libraries write for a member that a key does not have."""
USABLE_MEMBERS: tuple[Mapping[str, object], ...] = (
    {},
    {"use": "sig"},
    {"key_ops": ["verify"]},
    {"key_ops": ["sign", None, "verify"]},
    {"x5c": ["s3cret"], "x5u": 1, "x5t": None, "exp": 0, "more": {"d": 1}},
    *({name: value} for name in OPTIONAL for value in NO_VALUE),
    *(dict.fromkeys(OPTIONAL, value) for value in NO_VALUE),
)
NOT_A_KEY_SET: tuple[bytes, ...] = (
    *(b"", b" ", b"null", b"[]", b"{}", b'"keys"', b"s3cret", b"\xff", b"{"),
    *(to_json({"keys": found}) for found in (None, 1, "s3cret", {"a": 1}, True)),
    b"[" + _ENTRY + b"]",
    _ENTRY,
    b'{"KEYS":[' + _ENTRY + b"]}",
    b'{"keys":[],"keys":[]}',
    b'{"keys":[{"kty":"RSA","kty":"s3cret"}]}',
    b'{"keys":[],"x":NaN}',
    b'{"keys":[],"x":"\\ud800"}',
    b'\xef\xbb\xbf{"keys":[]}',
    b'{"keys":' + b"[" * 8000 + b"]" * 8000 + b"}",
)


def unusable_entries() -> Iterator[tuple[str, object]]:
    """Yield entries of which no key can be made, by name."""
    for name, key in UNUSABLE_KEYS.items():
        yield name, key.published("unusable")
    for name, (alg, members) in MALFORMED.items():
        yield name, changed(alg, **members)
    for alg, member in NUMBERS:
        for value in NOT_A_NUMBER:
            yield f"{alg} with {member} = {value!r}", changed(alg, **{member: value})
    for alg, member in [*NUMBERS, ("ES256", "kty"), ("ES256", "crv"), ("EdDSA", "crv")]:
        yield f"{alg} without {member}", lacking(alg, member)
    not_keys: tuple[object, ...] = (None, True, 1, "RSA", [], {}, [{"kty": "RSA"}])
    for entry in not_keys:
        yield f"not a key: {entry!r}", entry


def error_of(text: bytes) -> ValueError | None:
    """Return why a key set is rejected; ``None`` if it is accepted."""
    try:
        parse_key_set(text)
    except ValueError as error:
        return error
    return None


class TestParseKeySet:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_accepts_a_key(self, alg: str) -> None:
        for members in USABLE_MEMBERS:
            keys = parse(changed(alg, **members))
            expected = len(parse(lacking(alg, "alg"))) if not members.get("alg", alg) else 1
            assert (len(keys), verifies(keys, alg), keys.left_out) == (expected, True, ""), members

    @pytest.mark.parametrize(
        ("alg", "used_for"),
        [
            ("RS256", {"RS256", "PS256"}),
            ("PS256", {"RS256", "PS256"}),
            ("ES256", {"ES256"}),
            ("EdDSA", {"EdDSA"}),
        ],
    )
    def test_uses_a_key_without_alg_for_the_algorithms_of_its_type(
        self, alg: str, used_for: set[str]
    ) -> None:
        keys = parse(lacking(alg, "alg", "kid"))
        assert len(keys) == len(used_for)
        assert verifies(keys, alg)

    @pytest.mark.parametrize("bits", [2048, 8192])
    def test_accepts_rsa_from_2048_to_8192_bits(self, bits: int) -> None:
        assert len(parse(changed("RS256", n=modulus(bits)))) == 1

    def test_ignores_unusable_keys_and_no_others(self) -> None:
        wrong = {}
        for name, entry in unusable_entries():
            for alg in ("EdDSA", "PS256"):
                keys = parse(entry, signer(alg).jwk)
                if len(keys) != 1 or not verifies(keys, alg):
                    wrong[name] = keys
        assert wrong == {}

    def test_may_return_no_keys(self) -> None:
        assert len(parse()) == len(parse(None)) == 0

    @pytest.mark.parametrize("filler", [None, {"use": "enc"}, {"kty": "RSA"}], ids=str)
    def test_accepts_up_to_a_hundred_keys(self, filler: object) -> None:
        assert verifies(parse(*[filler] * 99, signer("ES256").jwk), "ES256")
        with pytest.raises(ValueError, match="more than 100 keys"):
            parse(*[filler] * 100, signer("ES256").jwk)

    def test_rejects_what_is_not_a_key_set(self) -> None:
        errors = {text[:40]: error_of(text) for text in NOT_A_KEY_SET}
        assert {text: one for text, one in errors.items() if type(one) is not ValueError} == {}
        assert "s3cret" not in str([*errors.values()])
