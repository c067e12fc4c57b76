import string

import pytest

from adapters.identity.jws import InvalidJwsError, Jws, parse_jws
from tests.adapters.identity.cases.bad_headers import BAD_HEADERS
from tests.adapters.identity.cases.bad_shapes import BAD_SHAPES
from tests.adapters.identity.cases.keys import ALGORITHMS, b64, signer, to_json

pytestmark = pytest.mark.robustness("tokens")


def error_of(token: str) -> str | None:
    """Return why a token is not parsed; ``None`` if it is."""
    try:
        parse_jws(token)
    except InvalidJwsError as error:
        return str(error)
    return None


class TestParseJws:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_splits_a_token(self, alg: str) -> None:
        text = f"{b64(to_json({'alg': alg, 'kid': 'k'}))}.{b64(b'payload')}"
        assert parse_jws(f"{text}.{b64(b'signature')}") == Jws(
            alg=alg, kid="k", signed=text.encode(), payload=b"payload", signature=b"signature"
        )

    @pytest.mark.parametrize(
        ("header", "kid"), [({}, None), ({"kid": ""}, ""), ({"kid": "0"}, "0")]
    )
    def test_distinguishes_a_missing_kid_from_an_empty_one(
        self, header: dict[str, object], kid: str | None
    ) -> None:
        token = signer("EdDSA").seal(to_json({"alg": "EdDSA", **header}), b"{}")
        assert parse_jws(token).kid == kid

    def test_accepts_every_letter_of_base64url(self) -> None:
        head = b64(b'{"alg":"EdDSA"}')
        for letter in string.ascii_letters + string.digits + "-_":
            assert b64(parse_jws(f"{head}.e30.AAA{letter}").signature) == f"AAA{letter}"

    def test_rejects_bad_headers_before_any_key_is_used(self) -> None:
        errors = {
            name: error_of(signer("ES256").seal(header, b"{}"))
            for name, header in BAD_HEADERS.items()
        }
        assert [name for name, error in errors.items() if error is None] == []
        assert "s3cret" not in str(errors)

    def test_rejects_texts_of_another_form(self) -> None:
        errors = {name: error_of(make()) for name, make in BAD_SHAPES.items()}
        assert [name for name, error in errors.items() if error is None] == []

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (b"[]", "header is not a JSON object"),
            (b'{"alg":"none"}', "unsupported algorithm"),
            (b'{"alg":"ES256","kid":1}', "kid is not a string"),
            (b'{"alg":"ES256","typ":"logout+jwt"}', "unsupported typ"),
            (b'{"alg":"ES256","crit":["exp"]}', "unsupported header extension"),
        ],
    )
    def test_states_what_is_wrong_with_a_header(self, header: bytes, reason: str) -> None:
        assert error_of(signer("ES256").seal(header, b"{}")) == reason

    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            ("a.b", "not in JWS compact form"),
            ("a.AA.AA", "invalid base64url"),
            ("AB.AA.AA", "base64url not in canonical form"),
        ],
    )
    def test_states_what_is_wrong_with_a_text(self, token: str, reason: str) -> None:
        assert error_of(token) == reason


class TestJws:
    def test_hides_its_contents_in_its_repr(self) -> None:
        shown = repr(parse_jws(signer("EdDSA").seal(b'{"alg":"EdDSA"}', b'{"sub":"s3cret"}')))
        assert shown == "Jws(alg='EdDSA', kid=None)"
