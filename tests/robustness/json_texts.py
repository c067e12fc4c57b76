"""Valid and invalid JSON texts: those of the public JSON test suite, and others.

The suite, https://github.com/nst/JSONTestSuite (MIT), is not part of this repository. It is read
from the folder ``test_parsing`` of the checkout that ``JSON_TEST_SUITE`` names.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

SUITE_SIZE = 318

ACCEPTED = {
    "an underflow is 0, which is a double": (
        "i_number_double_huge_neg_exp.json",
        "i_number_real_underflow.json",
    ),
    "an integer of up to 4,300 digits": (
        "i_number_too_big_neg_int.json",
        "i_number_too_big_pos_int.json",
        "i_number_very_big_negative_int.json",
    ),
}
"""The texts that we accept of those that the suite leaves to each parser, by the reason.

The others are rejected: numbers beyond a double, invalid UTF-8, lone surrogates, byte order
marks, and 500 nested arrays.
"""

REJECTED_THOUGH_VALID = {
    "a duplicate key": (
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    ),
}

VALUES: Sequence[bytes] = (
    *(b"null", b"true", b"false", b"0", b"-0", b"10", b"1.5", b"1e2", b"1E+2", b"1e-2"),
    *(b"-0.0e-0", b"123456789012345678901234567890", b"1e308", b"5e-324", b"1e-400"),
    *(b'""', b'" "', b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\u0000"', b'"\\uD834\\uDD1E"'),
    *(b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"', b'"\x7f"', b'"\xc2\x85"', b'"\xe2\x80\xa8"'),
    *(b'"\\uFFFF"', b'"\xef\xbf\xbf"', b'"\xef\xbb\xbf"', b'"\\\\u0000"', b'"/*x*/"'),
    *(b"[]", b"{}", b"[[]]", b'{"":0}', b'{"a":{"a":1}}', b'[{"a":1},{"a":1}]', b"[1,[2]]"),
    *(b" \t\r\n[ 1 ,\n2 ]\r\n", b'{"\\u0061":1,"b":2}', b'{"__proto__":{}}', b"[null,null]"),
)
"""Strict JSON."""

NOT_JSON: Sequence[bytes] = (
    *(b"", b" ", b"\xef\xbb\xbf", b"nul", b"nulll", b"True", b"NULL", b"undefined", b"yes"),
    *(b"NaN", b"-NaN", b"nan", b"Infinity", b"-Infinity", b"inf", b"+Infinity"),
    *(b"+1", b"01", b"-01", b".5", b"5.", b"1e", b"1e+", b"1.e1", b"-", b"--1", b"0x1F"),
    *(b"1_000", b"1,0", b"1 2", b"0b1", b"1L", b"\xd9\xa1", b"\xef\xbc\x91", b"1e400"),
    *(b"-1e400", b"1" * 4301, b"2-1", b"1/2", b"$1", b"#1"),
    *(b"'a'", b'"a', b'a"', b'"\t"', b'"\n"', b'"\0"', b'"\x1f"', b'"\\x61"', b'"\\a"'),
    *(b'"\\u12"', b'"\\u12G4"', b'"\\u+123"', b'"\\u 123"', b'"\\U0061"', b'"\\', b'"\\"'),
    *(b'"\\uD800"', b'"\\uDC00"', b'"\\uD800\\uD800"', b'"\\uDC00\\uD800"', b'"\\uD800x"'),
    *(b'"\xff"', b'"\x80"', b'"\xc3"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"'),
    *(
        b'"\xe9"',
        b'"a" "b"',
        b'"a"b',
        b'b"a"',
        b"`a`",
        b'"""a"""',
        b"\xe2\x80\x9ca\xe2\x80\x9d",
    ),
    *(b"[", b"]", b"[1", b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[1;2]", b"(1)", b"[1)"),
    *(b"{", b"}", b'{"a"}', b'{"a":}', b'{"a":1', b'{"a":1,}', b'{,"a":1}', b"{a:1}"),
    *(b"{'a':1}", b"{1:1}", b"{null:1}", b'{"a"=1}', b'{"a":1 "b":2}', b'{"a":1;"b":2}'),
    *(b'{"a"::1}', b'{"a":1}}', b'{"a":1}{', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}'),
    *(b'[{"a":{"b":1,"b":2}}]', b"[" * 64 + b"]" * 64, b'{"a":' * 64 + b"1" + b"}" * 64),
    *(b"[" * 8000, b"[" * 7000 + b"]" * 7000, b'{"a":' * 2500, b'[{"a":' * 2000),
    *(b"// x\n1", b"1 // x", b"/* x */ 1", b"1 /* x */", b"# x\n1", b"<!-- x -->1", b"--1"),
    *(b"\x0b1", b"\x0c1", b"\xc2\xa01", b"1\xc2\xa0", b"\xe2\x80\xa81", b"\xe3\x80\x801"),
    *(b"1\0", b"\0", b"\xef\xbb\xbf1", b"1\xef\xbb\xbf", b"\xe2\x81\xa01", b"\x1b[31m1"),
    *('{"a":1}'.encode(f"utf-{kind}") for kind in ("16", "16-le", "16-be", "32")),
    *(
        b"<a/>",
        b"a=1",
        b"- a",
        b"---\na: 1",
        b"b'1'",
        b"u'1'",
        b"None",
        b"1+1",
        b"\x80\x04K\x01.",
    ),
)
"""Invalid as strict JSON, as a whole text and as a part of one."""


@cache
def suite() -> Mapping[str, bytes]:
    """Read the texts of the suite by the names of their files."""
    folder = Path(os.environ["JSON_TEST_SUITE"], "test_parsing")
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def is_accepted(name: str) -> bool:
    """Return whether we accept a text of the suite as strict JSON."""
    if name in {each for names in REJECTED_THOUGH_VALID.values() for each in names}:
        return False
    return name.startswith("y_") or name in {each for names in ACCEPTED.values() for each in names}
