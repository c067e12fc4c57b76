from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from adapters.identity.jws import Jws, parse_jws
from adapters.identity.public_keys import PublicKey, PublicKeys, parse_key_set, parse_public_keys
from tests.adapters.identity.cases.bad_key_files import BAD_FILES, rewritten, rsa_of
from tests.adapters.identity.cases.keys import ALGORITHMS, Signer, signer, to_json


def signed(alg: str, kid: str | None = None, *, by: str | None = None) -> Jws:
    """Sign with the key of ``by``, and name ``kid``."""
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    return parse_jws(signer(alg, by).seal(to_json(header), b"{}"))


def error_of(text: bytes) -> ValueError | None:
    """Return why a file is rejected; ``None`` if it is accepted."""
    try:
        parse_public_keys(text)
    except ValueError as error:
        return error
    return None


class TestParsePublicKeys:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_reads_a_key_in_pem(self, alg: str) -> None:
        keys = parse_public_keys(signer(alg).pem)
        assert keys.verify(signed(alg))
        assert not keys.verify(signed(alg, by="attacker"))

    def test_uses_rsa_in_pem_for_both_paddings(self) -> None:
        keys = parse_public_keys(signer("RS256").pem)
        token = Signer("PS256", "", signer("RS256").key).seal(b'{"alg":"PS256"}', b"{}")
        assert keys.verify(parse_jws(token))

    @pytest.mark.parametrize("bits", [2048, 8192])
    def test_accepts_rsa_in_pem_from_2048_to_8192_bits(self, bits: int) -> None:
        assert len(parse_public_keys(rsa_of(bits))) == 2

    @pytest.mark.parametrize(
        "rewrite",
        [
            lambda pem: b"\n  " + pem,
            lambda pem: pem.replace(b"\n", b"\r\n"),
            lambda pem: pem.rstrip(),
            lambda _pem: rewritten("RS256", Encoding.PEM, PublicFormat.PKCS1),
        ],
        ids=["after white space", "with CRLF", "without a final line feed", "as PKCS #1"],
    )
    def test_reads_every_usual_form_of_pem(self, rewrite: Callable[[bytes], bytes]) -> None:
        keys = parse_public_keys(rewrite(signer("RS256").pem))
        assert keys.verify(signed("RS256"))

    def test_reads_several_keys_in_pem(self) -> None:
        keys = parse_public_keys(b"old:\n" + signer("ES256").pem + b"new:\n" + signer("EdDSA").pem)
        assert [keys.verify(signed(alg)) for alg in ("ES256", "EdDSA")] == ["#1", "#2"]

    def test_reads_no_more_than_eight_keys_in_pem(self) -> None:
        assert parse_public_keys(signer("ES256").pem * 8).verify(signed("ES256"))
        with pytest.raises(ValueError, match="more than 8 keys"):
            parse_public_keys(signer("ES256").pem * 9)

    def test_reads_a_key_set(self) -> None:
        keys = parse_public_keys(to_json({"keys": [signer(alg).jwk for alg in ALGORITHMS]}))
        assert [keys.verify(signed(alg)) for alg in ALGORITHMS] == list(ALGORITHMS)

    def test_rejects_files_without_a_usable_key(self) -> None:
        errors = {name: error_of(make()) for name, make in BAD_FILES.items()}
        beginnings = ("must hold public keys", "is not", "starts with")
        wrong = {
            name: error
            for name, error in errors.items()
            if type(error) is not ValueError or not str(error).startswith(beginnings)
        }
        assert wrong == {}
        assert "s3cret" not in str(errors)


class TestPublicKey:
    @pytest.mark.parametrize(("alg", "other"), [("RS256", "PS256"), ("PS256", "RS256")])
    def test_verifies_with_its_own_algorithm_whatever_the_token_names(
        self, alg: str, other: str
    ) -> None:
        key = PublicKey(alg, None, load_pem_public_key(signer("RS256").pem), 1)
        sealed = {name: Signer(name, "", signer("RS256").key) for name in (alg, other)}
        says_other = to_json({"alg": other})
        assert key.verify(parse_jws(sealed[alg].seal(says_other, b"{}")))
        assert not key.verify(parse_jws(sealed[other].seal(says_other, b"{}")))


def key_set(*keys: tuple[str, str | None]) -> PublicKeys:
    """Make a set of ES256 keys, each given by its owner and the ``kid`` it is published with."""
    entries = [
        {**signer("ES256", owner).jwk, "kid": kid, "alg": "ES256"}
        if kid is not None
        else {name: value for name, value in signer("ES256", owner).jwk.items() if name != "kid"}
        for owner, kid in keys
    ]
    return parse_key_set(to_json({"keys": entries}))


class TestPublicKeys:
    @pytest.mark.parametrize(
        ("published_as", "named", "is_accepted"),
        [
            ("a", "a", True),
            ("a", None, True),
            (None, "a", True),
            (None, None, True),
            (None, "", True),
            ("", "", True),
            ("", None, True),
            ("a", "b", False),
            ("a", "", False),
            ("", "a", True),
            ("a", "A", False),
            ("a", "a ", False),
        ],
    )
    def test_are_used_if_the_kid_matches_or_either_has_none(
        self, published_as: str | None, named: str | None, is_accepted: bool
    ) -> None:
        keys = key_set(("owner", published_as))
        assert bool(keys.verify(signed("ES256", named, by="owner"))) is is_accepted

    @pytest.mark.parametrize(
        ("kid", "name"),
        [
            ("a", "a"),
            (None, "#2"),
            ("", "#2"),
            ("x" * 65, "x" * 64),
            ("\x1b[31m\n\u00e9\\", r"\x1b[31m\n\xe9\\"),
            ("\u2028" * 64, r"\u2028" * 10 + r"\u20"),
        ],
        ids=ascii,
    )
    def test_are_named_by_their_kid_or_their_place(self, kid: str | None, name: str) -> None:
        keys = key_set(("other", "other-kid"), ("owner", kid))
        assert keys.verify(signed("ES256", kid, by="owner")) == name

    def test_without_kid_are_named_by_their_place_whatever_the_token_names(self) -> None:
        assert key_set(("owner", None)).verify(signed("ES256", "a", by="owner")) == "#1"

    @pytest.mark.parametrize("name", ["a", None])
    @pytest.mark.parametrize("owner", ["one", "other"])
    def test_may_share_a_kid(self, owner: str, name: str | None) -> None:
        keys = key_set(("one", name), ("other", name))
        assert keys.verify(signed("ES256", "a", by=owner))
        assert not keys.verify(signed("ES256", "a", by="attacker"))

    def test_are_not_used_for_the_kid_of_another_key(self) -> None:
        keys = key_set(("one", "a"), ("other", "b"))
        assert keys.verify(signed("ES256", "a", by="one"))
        assert not keys.verify(signed("ES256", "b", by="one"))

    def test_may_share_a_kid_across_algorithms(self) -> None:
        entries = [{**signer(alg).jwk, "kid": "a"} for alg in ALGORITHMS]
        keys = parse_key_set(to_json({"keys": entries}))
        assert [keys.verify(signed(alg, "a")) for alg in ALGORITHMS] == ["a"] * 4

    @pytest.mark.parametrize(("others", "is_accepted"), [(7, True), (8, False)])
    def test_are_limited_to_eight_for_a_token_without_kid(
        self, others: int, is_accepted: bool
    ) -> None:
        keys = key_set(
            ("owner", "owner-kid"), *(("other", str(number)) for number in range(others))
        )
        assert bool(keys.verify(signed("ES256", by="owner"))) is is_accepted
        assert keys.verify(signed("ES256", "owner-kid", by="owner"))

    def test_verify_nothing_when_empty(self) -> None:
        assert len(PublicKeys()) == 0
        assert not PublicKeys().verify(signed("ES256"))

    @pytest.mark.parametrize(
        ("alg", "kid", "is_known"),
        [
            ("ES256", "a", True),
            ("ES256", "b", False),
            ("ES256", "", False),
            ("ES256", None, False),
            ("EdDSA", "a", False),
        ],
    )
    def test_have_the_kid_of_a_token_of_their_algorithm(
        self, alg: str, kid: str | None, is_known: bool
    ) -> None:
        keys = key_set(("owner", "a"), ("other", None))
        assert keys.has_kid_of(signed(alg, kid)) is is_known
