from collections.abc import Mapping

import pytest

from adapters.identity.jws import parse_jws
from adapters.identity.public_keys import PublicKeys, parse_key_set
from tests.adapters.identity.bad_keys import USELESS_KEYS, UselessKey
from tests.adapters.identity.keys import ALGORITHMS, b64, signer, to_json

pytestmark = pytest.mark.campaign("key sets")

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the field of P-256
_ENTRY = b'{"kty":"OKP","crv":"Ed25519","x":"%s"}' % (b"A" * 43)

NOT_A_NUMBER: tuple[object, ...] = (
    *(None, True, 0, -1.5, [], ["AQAB"], {}, {"n": "AQAB"}),
    *("", "A", "A===", "\u00f6", " ", "-"),
)
NUMBERS = [("RS256", "n"), ("RS256", "e"), ("ES256", "x"), ("ES256", "y"), ("EdDSA", "x")]


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def mersenne(bits: int) -> str:
    """Make a modulus that is good for nothing but its length."""
    return number((1 << bits) - 1)


def coordinate(value: int) -> str:
    return b64(value.to_bytes(32))


MALFORMED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "RSA of 1,024 bits": ("RS256", {"n": mersenne(1024)}),
    "RSA of 2,047 bits": ("RS256", {"n": mersenne(2047)}),
    "RSA of 2,047 bits, filled up": ("RS256", {"n": b64(bytes(300) + b"\x7f" + b"\xff" * 255)}),
    "RSA of 8,193 bits": ("RS256", {"n": mersenne(8193)}),
    "RSA of a million bits": ("RS256", {"n": mersenne(10**6)}),
    "RSA with e = 0": ("RS256", {"e": "AA"}),
    "RSA with e = 1": ("RS256", {"e": "AQ"}),
    "RSA with e = 2": ("RS256", {"e": "Ag"}),
    "RSA with e = 65,536": ("RS256", {"e": number(65536)}),
    "RSA with e larger than n": ("RS256", {"n": mersenne(2048), "e": mersenne(2049)}),
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
    **{
        f"kid is {kid!r}": ("ES256", {"kid": kid})
        for kid in (None, True, 0, 1.5, [], ["ES256"], {"a": 1})
    },
}


def parse(*entries: object) -> PublicKeys:
    return parse_key_set(to_json({"keys": entries}))


def changed(alg: str, **members: object) -> dict[str, object]:
    return {**signer(alg).jwk, **members}


def lacking(alg: str, *names: str) -> dict[str, object]:
    return {name: value for name, value in signer(alg).jwk.items() if name not in names}


def have_signed(keys: PublicKeys, alg: str) -> bool:
    """Tell whether a token of the issuer's is taken for one of these keys'."""
    return keys.have_signed(parse_jws(signer(alg).seal(to_json({"alg": alg}), b"{}")))


class TestParseKeySet:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    @pytest.mark.parametrize(
        "members",
        [
            {},
            {"use": "sig"},
            {"key_ops": ["verify"]},
            {"key_ops": ["sign", None, "verify"]},
            {"x5c": ["s3cret"], "x5u": 1, "x5t": None, "exp": 0, "more": {"d": 1}},
        ],
        ids=str,
    )
    def test_takes_a_key(self, alg: str, members: Mapping[str, object]) -> None:
        keys = parse(changed(alg, **members))
        assert len(keys) == 1
        assert have_signed(keys, alg)

    @pytest.mark.parametrize(
        ("alg", "taken_for"),
        [
            ("RS256", {"RS256", "PS256"}),
            ("PS256", {"RS256", "PS256"}),
            ("ES256", {"ES256"}),
            ("EdDSA", {"EdDSA"}),
        ],
    )
    def test_takes_a_key_that_names_no_algorithm_for_those_of_its_type(
        self, alg: str, taken_for: set[str]
    ) -> None:
        keys = parse(lacking(alg, "alg", "kid"))
        assert len(keys) == len(taken_for)
        assert have_signed(keys, alg)

    @pytest.mark.parametrize("bits", [2048, 8192])
    def test_takes_rsa_up_to_its_bounds(self, bits: int) -> None:
        assert len(parse(changed("RS256", n=mersenne(bits)))) == 1

    @pytest.mark.parametrize("key", USELESS_KEYS.values(), ids=USELESS_KEYS)
    def test_leaves_out_keys_of_no_use_alone(self, key: UselessKey) -> None:
        keys = parse(key.published("useless"), signer("EdDSA").jwk)
        assert len(keys) == 1
        assert have_signed(keys, "EdDSA")

    @pytest.mark.parametrize(("alg", "members"), MALFORMED.values(), ids=MALFORMED)
    def test_leaves_out_malformed_keys_alone(self, alg: str, members: dict[str, object]) -> None:
        keys = parse(changed(alg, **members), signer("PS256").jwk)
        assert len(keys) == 1
        assert have_signed(keys, "PS256")

    @pytest.mark.parametrize(("alg", "name"), NUMBERS)
    @pytest.mark.parametrize("value", NOT_A_NUMBER, ids=ascii)
    def test_leaves_out_keys_with_a_number_that_is_none(
        self, alg: str, name: str, value: object
    ) -> None:
        assert len(parse(changed(alg, **{name: value}), signer("PS256").jwk)) == 1

    @pytest.mark.parametrize(
        ("alg", "name"), [*NUMBERS, ("ES256", "kty"), ("ES256", "crv"), ("EdDSA", "crv")]
    )
    def test_leaves_out_keys_that_lack_a_part(self, alg: str, name: str) -> None:
        assert len(parse(lacking(alg, name), signer("PS256").jwk)) == 1

    @pytest.mark.parametrize("entry", [None, True, 1, "RSA", [], {}, [{"kty": "RSA"}]], ids=str)
    def test_leaves_out_what_is_no_key(self, entry: object) -> None:
        assert len(parse(entry, signer("PS256").jwk)) == 1

    def test_may_find_nothing(self) -> None:
        assert len(parse()) == len(parse(None)) == 0

    @pytest.mark.parametrize("filler", [None, {"use": "enc"}, {"kty": "RSA"}], ids=str)
    def test_takes_a_hundred_keys_and_no_more(self, filler: object) -> None:
        assert have_signed(parse(*[filler] * 99, signer("ES256").jwk), "ES256")
        with pytest.raises(ValueError, match="more than 100 keys"):
            parse(*[filler] * 100, signer("ES256").jwk)

    @pytest.mark.parametrize(
        "text",
        [
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
            b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ],
        ids=lambda text: ascii(text[:40]),
    )
    def test_refuses_what_is_no_key_set(self, text: bytes) -> None:
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the one kind that it raises
            parse_key_set(text)
        assert type(refused.value) is ValueError
        assert "s3cret" not in str(refused.value)
