import string
from collections.abc import Callable

import pytest

from adapters.identity.jws import Jws, NotAJwsError, parse_jws
from tests.adapters.identity.bad_headers import BAD_HEADERS
from tests.adapters.identity.bad_shapes import BAD_SHAPES
from tests.adapters.identity.keys import ALGORITHMS, b64, signer, to_json

pytestmark = pytest.mark.campaign("tokens")


class TestParseJws:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_takes_a_token_apart(self, alg: str) -> None:
        text = f"{b64(to_json({'alg': alg, 'kid': 'k'}))}.{b64(b'payload')}"
        assert parse_jws(f"{text}.{b64(b'signature')}") == Jws(
            alg=alg, kid="k", signed=text.encode(), payload=b"payload", signature=b"signature"
        )

    @pytest.mark.parametrize(
        ("header", "kid"), [({}, None), ({"kid": ""}, ""), ({"kid": "0"}, "0")]
    )
    def test_tells_no_name_from_an_empty_one(
        self, header: dict[str, object], kid: str | None
    ) -> None:
        token = signer("EdDSA").seal(to_json({"alg": "EdDSA", **header}), b"{}")
        assert parse_jws(token).kid == kid

    @pytest.mark.parametrize("letter", string.ascii_letters + string.digits + "-_")
    def test_takes_a_segment_that_ends_in_any_letter(self, letter: str) -> None:
        head = b64(b'{"alg":"EdDSA"}')
        taken = parse_jws(f"{head}.e30.AAA{letter}")
        assert b64(taken.signature) == f"AAA{letter}"

    @pytest.mark.parametrize("name", BAD_HEADERS)
    def test_refuses_headers_whatever_the_keys_are(self, name: str) -> None:
        with pytest.raises(NotAJwsError) as refused:
            parse_jws(signer("ES256").seal(BAD_HEADERS[name], b"{}"))
        assert "s3cret" not in str(refused.value)

    def test_says_what_is_wrong_with_a_header(self) -> None:
        with pytest.raises(NotAJwsError, match="its header is not a JSON object"):
            parse_jws(signer("ES256").seal(b"[]", b"{}"))

    @pytest.mark.parametrize("make", BAD_SHAPES.values(), ids=BAD_SHAPES)
    def test_refuses_other_texts(self, make: Callable[[], str]) -> None:
        with pytest.raises(NotAJwsError):
            parse_jws(make())


class TestJws:
    def test_keeps_what_it_was_made_of_out_of_its_repr(self) -> None:
        shown = repr(parse_jws(signer("EdDSA").seal(b'{"alg":"EdDSA"}', b'{"sub":"s3cret"}')))
        assert shown == "Jws(alg='EdDSA', kid=None)"
