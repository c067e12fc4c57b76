from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from adapters.identity.jws import Jws, parse_jws
from adapters.identity.public_keys import PublicKey, PublicKeys, parse_key_set, parse_public_keys
from tests.adapters.identity.bad_key_files import BAD_FILES, rewritten, rsa_of
from tests.adapters.identity.keys import ALGORITHMS, Signer, signer, to_json


def signed(alg: str, kid: str | None = None, *, by: str | None = None) -> Jws:
    """Have a key sign, under the name of any."""
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    return parse_jws(signer(alg, by).seal(to_json(header), b"{}"))


class TestParsePublicKeys:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_reads_a_key_in_pem(self, alg: str) -> None:
        keys = parse_public_keys(signer(alg).pem)
        assert keys.have_signed(signed(alg))
        assert not keys.have_signed(signed(alg, by="stranger"))

    def test_takes_rsa_in_pem_for_either_padding(self) -> None:
        keys = parse_public_keys(signer("RS256").pem)
        token = Signer("PS256", "", signer("RS256").key).seal(b'{"alg":"PS256"}', b"{}")
        assert keys.have_signed(parse_jws(token))

    @pytest.mark.parametrize("bits", [2048, 8192])
    def test_takes_rsa_in_pem_up_to_its_bounds(self, bits: int) -> None:
        assert len(parse_public_keys(rsa_of(bits))) == 2

    @pytest.mark.parametrize(
        "rewrite",
        [
            lambda pem: b"\n  " + pem,
            lambda pem: pem.replace(b"\n", b"\r\n"),
            lambda pem: pem.rstrip(),
            lambda _pem: rewritten("RS256", Encoding.PEM, PublicFormat.PKCS1),
        ],
        ids=["behind white space", "with CRLF", "without a last line feed", "as PKCS #1"],
    )
    def test_reads_pem_as_editors_and_tools_leave_it(
        self, rewrite: Callable[[bytes], bytes]
    ) -> None:
        keys = parse_public_keys(rewrite(signer("RS256").pem))
        assert keys.have_signed(signed("RS256"))

    def test_reads_several_keys_in_pem(self) -> None:
        keys = parse_public_keys(b"old:\n" + signer("ES256").pem + b"new:\n" + signer("EdDSA").pem)
        assert [keys.have_signed(signed(alg)) for alg in ("ES256", "EdDSA")] == [True] * 2

    def test_reads_no_more_than_eight_keys_in_pem(self) -> None:
        assert parse_public_keys(signer("ES256").pem * 8).have_signed(signed("ES256"))
        with pytest.raises(ValueError, match="more than 8 keys"):
            parse_public_keys(signer("ES256").pem * 9)

    def test_reads_a_key_set(self) -> None:
        keys = parse_public_keys(to_json({"keys": [signer(alg).jwk for alg in ALGORITHMS]}))
        assert [keys.have_signed(signed(alg)) for alg in ALGORITHMS] == [True] * 4

    @pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES)
    def test_refuses_what_holds_no_key_of_use(self, make: Callable[[], bytes]) -> None:
        with pytest.raises(
            ValueError, match=r"^(must hold public keys|is not|starts with)"
        ) as refused:
            parse_public_keys(make())
        assert type(refused.value) is ValueError
        assert "s3cret" not in str(refused.value)


class TestPublicKey:
    @pytest.mark.parametrize(("alg", "other"), [("RS256", "PS256"), ("PS256", "RS256")])
    def test_checks_with_its_own_algorithm_whatever_the_token_says(
        self, alg: str, other: str
    ) -> None:
        key = PublicKey(alg, None, load_pem_public_key(signer("RS256").pem))
        sealed = {name: Signer(name, "", signer("RS256").key) for name in (alg, other)}
        says_other = to_json({"alg": other})
        assert key.has_signed(parse_jws(sealed[alg].seal(says_other, b"{}")))
        assert not key.has_signed(parse_jws(sealed[other].seal(says_other, b"{}")))


def known(*keys: tuple[str, str | None]) -> PublicKeys:
    """Know keys of ES256, each by its owner and the name that it is published under, if any."""
    entries = [
        {**signer("ES256", owner).jwk, "kid": kid, "alg": "ES256"}
        if kid is not None
        else {name: value for name, value in signer("ES256", owner).jwk.items() if name != "kid"}
        for owner, kid in keys
    ]
    return parse_key_set(to_json({"keys": entries}))


class TestPublicKeys:
    @pytest.mark.parametrize(
        ("published_as", "named", "is_taken"),
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
            ("", "a", False),
            ("a", "A", False),
            ("a", "a ", False),
        ],
    )
    def test_are_tried_where_the_token_names_them_or_no_name_is_given(
        self, published_as: str | None, named: str | None, is_taken: bool
    ) -> None:
        keys = known(("owner", published_as))
        assert keys.have_signed(signed("ES256", named, by="owner")) is is_taken

    @pytest.mark.parametrize("name", ["a", None])
    @pytest.mark.parametrize("owner", ["one", "other"])
    def test_may_share_a_name(self, owner: str, name: str | None) -> None:
        keys = known(("one", name), ("other", name))
        assert keys.have_signed(signed("ES256", "a", by=owner))
        assert not keys.have_signed(signed("ES256", "a", by="stranger"))

    def test_are_not_tried_under_the_name_of_another(self) -> None:
        keys = known(("one", "a"), ("other", "b"))
        assert keys.have_signed(signed("ES256", "a", by="one"))
        assert not keys.have_signed(signed("ES256", "b", by="one"))

    def test_may_share_a_name_across_algorithms(self) -> None:
        entries = [{**signer(alg).jwk, "kid": "a"} for alg in ALGORITHMS]
        keys = parse_key_set(to_json({"keys": entries}))
        assert [keys.have_signed(signed(alg, "a")) for alg in ALGORITHMS] == [True] * 4

    @pytest.mark.parametrize(("others", "is_taken"), [(7, True), (8, False)])
    def test_are_not_all_tried_where_a_token_names_none_of_many(
        self, others: int, is_taken: bool
    ) -> None:
        keys = known(("owner", "owner's"), *(("other", str(number)) for number in range(others)))
        assert keys.have_signed(signed("ES256", by="owner")) is is_taken
        assert keys.have_signed(signed("ES256", "owner's", by="owner"))

    def test_have_signed_nothing_where_there_are_none(self) -> None:
        assert len(PublicKeys()) == 0
        assert not PublicKeys().have_signed(signed("ES256"))

    @pytest.mark.parametrize(
        ("alg", "kid", "is_at_hand"),
        [
            ("ES256", "a", True),
            ("ES256", "b", False),
            ("ES256", "", False),
            ("ES256", None, False),
            ("EdDSA", "a", False),
        ],
    )
    def test_know_whether_a_token_names_one(
        self, alg: str, kid: str | None, is_at_hand: bool
    ) -> None:
        keys = known(("owner", "a"), ("other", None))
        assert keys.have_the_one_named_by(signed(alg, kid)) is is_at_hand
