import pytest

from domain.strict_json import DuplicateKeyError, StrictJsonError, loads, loads_object

TOO_DEEP = "is nested more than 64 deep"


def nested(depth: int) -> bytes:
    """An object and arrays in it, so deep in all."""
    return b'{"a": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


class TestLoads:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            (b"{}", {}),
            (
                b' { "a" : [1, -0.5e3, true, false, null] } \r\n\t',
                {"a": [1, -500.0, True, False, None]},
            ),
            ('{"room": "é"}'.encode(), {"room": "é"}),
            (b'"\\ud83d\\ude00"', "😀"),
            ("😀".encode().join([b'"', b'"']), "😀"),
            (b'"\\u0000"', "\0"),
            (b"[1.5e308, 1e-400, 1e5]", [1.5e308, 0.0, 100000.0]),
            ('{"a": 1}', {"a": 1}),
            (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ],
    )
    def test_accepts_json(self, text: bytes | str, value: object) -> None:
        assert loads(text) == value

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b"", "is not JSON"),
            (b"{", "is not JSON"),
            (b"{} {}", "is not JSON"),
            (b"{'a': 1}", "is not JSON"),
            (b'{"a": 1,}', "is not JSON"),
            (b'{"a": 01}', "is not JSON"),
            (b'{"a": +1}', "is not JSON"),
            (b'"\t"', "is not JSON"),
            (b'"\\x41"', "is not JSON"),
            (b"// a\n{}", "is not JSON"),
            (b"{}\x00", "is not JSON"),
            (b"{}\x0b", "is not JSON"),
            ("\u00a0{}", "is not JSON"),
            (b"1" * 5000, "is not JSON"),
            (b"NaN", "holds NaN, which is not JSON"),
            (b'{"a": [Infinity]}', "holds Infinity, which is not JSON"),
            (b"-Infinity", "holds -Infinity, which is not JSON"),
            (b'{"a": 1e400}', "holds a number that is too large"),
            (b"[-1.5E+309]", "holds a number that is too large"),
            (b'\xef\xbb\xbf{"a": 1}', "starts with a byte order mark"),
            ("\ufeff{}", "starts with a byte order mark"),
            (b'"\xff"', "is not UTF-8"),
            (b'"\xed\xa0\x80"', "is not UTF-8"),
            (b'"\xc0\xaf"', "is not UTF-8"),
            ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
            ('{"a": 1}'.encode("utf-16-le"), "is not JSON"),
            (b'"\\ud800"', "holds a lone surrogate"),
            (b'{"\\udfff": 1}', "holds a lone surrogate"),
            (b'{"a": ["\\ude00\\ud83d"]}', "holds a lone surrogate"),
            ('"\ud800"', "holds a lone surrogate"),
            (nested(65), TOO_DEEP),
            (b'{"a":' * 64 + b"{}" + b"}" * 64, TOO_DEEP),
            (nested(8000), TOO_DEEP),
            (nested(200_000), TOO_DEEP),
            (b'{"a":' * 200_000 + b"{}" + b"}" * 200_000, TOO_DEEP),
        ],
    )
    def test_rejects_everything_else_with_a_reason(self, text: bytes | str, reason: str) -> None:
        with pytest.raises(StrictJsonError) as refusal:
            loads(text)
        assert str(refusal.value) == reason

    @pytest.mark.parametrize(
        "text",
        [
            b'{"a": 1, "a": 1}',
            b'{"a": 1, "\\u0061": 2}',
            b'{"b": {"a": 1, "c": 0, "a": 2}}',
            b'[[{"b": 0, "a": {}, "a": {}}]]',
        ],
    )
    def test_refuses_a_key_that_stands_twice_at_any_depth(self, text: bytes) -> None:
        with pytest.raises(DuplicateKeyError) as refusal:
            loads(text)
        assert refusal.value.key == "a"

    def test_bounds_depth_and_not_size(self) -> None:
        assert loads_object(nested(64))
        assert loads(b"[" + b"[{}]," * 1000 + b'"[[[["]')

    def test_repeats_nothing_of_the_text_in_its_reasons(self) -> None:
        with pytest.raises(StrictJsonError) as refusal:
            loads(b'{"s3cret": 1, "s3cret": 2}')
        assert "s3cret" not in str(refusal.value)


class TestLoadsObject:
    def test_takes_an_object(self) -> None:
        assert loads_object(b'{"a": 1}') == {"a": 1}

    @pytest.mark.parametrize("text", [b"[]", b"null", b"1", b'"{}"', b"true"])
    def test_refuses_every_other_value(self, text: bytes) -> None:
        with pytest.raises(StrictJsonError, match="is not a JSON object"):
            loads_object(text)
