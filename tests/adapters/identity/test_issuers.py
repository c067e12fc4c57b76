from collections.abc import Sequence

import pytest

from adapters.identity.jws import parse_jws
from adapters.identity.public_keys import PublicKeys, parse_key_set
from tests.adapters.identity.cases.issuers import Published, issuers
from tests.adapters.identity.cases.keys import Signer, to_json

pytestmark = pytest.mark.robustness("key sets")


def key_set(published: Sequence[Published]) -> PublicKeys:
    return parse_key_set(to_json({"keys": [key.entry for key in published]}))


def is_verified(keys: PublicKeys, signer: Signer, kid: object) -> bool:
    named = {"kid": kid} if kid else {}
    header = to_json({"alg": signer.alg, **named})
    return signer.alg in ("RS256", "PS256", "ES256", "EdDSA") and bool(
        keys.verify(parse_jws(signer.seal(header, b"{}")))
    )


class TestKeySetsOfIssuers:
    def test_are_used_as_their_issuers_mean_them(self) -> None:
        wrong = {}
        for issuer, published in issuers().items():
            keys = key_set(published)
            for key in published:
                kid = key.entry.get("kid")
                used = key.signer is not None and is_verified(keys, key.signer, kid)
                if used is (key.why_not is not None):
                    wrong[issuer, kid] = used
        assert wrong == {}

    def test_have_the_reason_of_each_key_that_is_not_used(self) -> None:
        found = {issuer: key_set(published).left_out for issuer, published in issuers().items()}
        assert found == {
            issuer: "; ".join(
                sorted(
                    f"kid {key.entry['kid']!a}: {key.why_not}" for key in published if key.why_not
                )
            )
            for issuer, published in issuers().items()
        }

    def test_are_used_whatever_else_the_set_holds(self) -> None:
        """All of them together, as an aggregator publishes them."""
        everything = [key for published in issuers().values() for key in published]
        keys = key_set(everything)
        wrong = [
            key.entry["kid"]
            for key in everything
            if key.signer
            and key.entry["kid"]
            and is_verified(keys, key.signer, key.entry["kid"]) is (key.why_not is not None)
        ]
        assert wrong == []


class TestLeftOut:
    @pytest.mark.parametrize(
        ("kid", "name"),
        [
            ('a\r\n"b" \u00e9\x1b[31m', "kid 'a\\r\\n\"b\" \\xe9\\x1b[31m'"),
            ("\ud7ff" * 100, "kid '" + "\\ud7ff" * 10 + "\\ud"),
            ("x" * 100_000, "kid '" + "x" * 63),
            (None, "a key without kid"),
            ("", "a key without kid"),
            (7, "a key without kid"),
            ({"a": 1}, "a key without kid"),
        ],
        ids=lambda value: ascii(value)[:20],
    )
    def test_shows_a_kid_escaped_and_cut(self, kid: object, name: str) -> None:
        keys = parse_key_set(to_json({"keys": [{"kid": kid, "use": "enc", "n": "s3cret"}]}))
        assert keys.left_out == f"{name}: use is not sig"

    def test_names_at_most_sixteen_keys(self) -> None:
        entries = [{"kid": f"{number:03}", "use": "enc"} for number in range(100)]
        left_out = parse_key_set(to_json({"keys": entries})).left_out
        assert left_out.count("use is not sig") == 16
        assert left_out.endswith("kid '015': use is not sig; 84 more")

    def test_does_not_depend_on_the_order_of_the_keys(self) -> None:
        entries = [{"kid": kid, "use": "enc"} for kid in ("a", "b", "c")]
        texts = {
            parse_key_set(to_json({"keys": order})).left_out
            for order in (entries, entries[::-1], [*entries, *entries])
        }
        assert texts == {"; ".join(f"kid {kid!r}: use is not sig" for kid in "abc")}

    def test_shows_nothing_of_a_key(self) -> None:
        everything = [key for published in issuers().values() for key in published]
        left_out = " ".join(key_set(published).left_out for published in issuers().values())
        material = [
            str(value)
            for key in everything
            for name, value in key.entry.items()
            if name in ("n", "x", "y", "d", "k", "pub", "x5c")
        ]
        assert [value for value in material if value in left_out] == []
