"""Kinds of room metadata that contain a tenant's id, and the owner that each names."""

import json
import re
from collections.abc import Iterator, Mapping

from attrs import frozen

OTHER = "other"

SPELLINGS: Mapping[str, Mapping[str, str]] = {
    "a name": {
        "exact": "Zo\u00eb-7",
        "in lower case": "zo\u00eb-7",
        "in upper case": "ZO\u00cb-7",
        "decomposed": "Zoe\u0308-7",
        "in full width": "\uff3ao\u00eb-7",
        "with a Greek letter": "\u0396o\u00eb-7",
        "with a zero width space": "Zo\u00eb\u200b-7",
        "with a trailing space": "Zo\u00eb-7 ",
        "with a trailing NUL": "Zo\u00eb-7\0",
        "escaped": "Zo\\u00eb-7",
        "quoted": '"Zo\u00eb-7"',
        "truncated": "Zo\u00eb-",
        "with one more character": "Zo\u00eb-77",
        "UTF-8 read as latin-1": "Zo\u00c3\u00ab-7",
    },
    "a number": {
        "exact": "10",
        "with a fraction": "10.0",
        "with an exponent": "1e1",
        "with a leading zero": "010",
        "with a sign": "+10",
        "negative": "-10",
        "in full width": "\uff11\uff10",
        "with a trailing space": "10 ",
        "with a trailing NUL": "10\0",
        "quoted": '"10"',
        "truncated": "1",
        "with one more character": "100",
        "hexadecimal": "0xA",
        "as a constant": "true",
    },
}
"""Ids that a careless parser or comparison confuses."""


@frozen
class Template:
    """Metadata with placeholders: ``@`` for an id as a JSON string, ``~`` for the bare id."""

    pattern: str
    owner: str | None
    """The owner that it names: ``~`` for the id."""

    def text(self, spelling: str) -> str:
        bare = spelling.strip('"')  # or else it would be a JSON string
        quoted = json.dumps(spelling, ensure_ascii=False)
        escaped = "".join(f"\\u{ord(each):04X}" for each in spelling)
        parts = {"@": quoted, "~": bare, "\N{FULLWIDTH COMMERCIAL AT}": f'"{escaped}"'}
        return re.sub("|".join(parts), lambda found: parts[found[0]], self.pattern)

    def owner_for(self, spelling: str) -> str | None:
        return spelling if self.owner == "~" else self.owner


VALUES = (
    *("null", "true", "false", "0", "-0", "1.5", "1e5", "1E+2", "1e-400", "9" * 30),
    *("[]", "[[]]", "{}", '["auth_id", @]', "[@]", '{"auth_id": "other"}', '{"auth_id": @}'),
    *('[{"auth_id": @}]', '{"a": {"auth_id": "other"}}', '{"id": @}', '{"$eq": @}', '{"": @}'),
    *("[" * 63 + "]" * 63, '{"a":' * 63 + "1" + "}" * 63, "[" + "[]," * 100 + "0]"),
)
"""JSON values that are not strings."""
TEXTS = (
    *('"other"', "@", '""', '" "', '"auth_id"', r'"\"auth_id\": \"other\""', r'"\\"', r'"\n\t\/"'),
    *('"\u2028"', '"\x7f"', r'"\u0000"', r'"\ud83d\ude00"', '"\U0001f600"', '"/* "', '"// "'),
    *('"}, {"', '"]"', '"\ufeff"', '"' + "x" * 60_000 + '"'),
)
BLANK = ('""', '" "', r'"\t\n"', '"\u3000"', '"\u00a0"', r'"\u2003 "')
MALFORMED = (
    *("", "NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "1e400", "-1e400"),
    *("+1", "01", "-01", "-", "--1", ".5", "5.", "1e", "1e+", "1.e1", "0x1F", "1_000", "1 2", "1,"),
    *("\uff11", "\u0663", "True", "TRUE", "None", "nil", "undefined", "'x'", "`x`", '"x', 'x"'),
    *(r'"\x41"', r'"\a"', r'"\u12"', r'"\u+123"', r'"\U0041"', '"\\"', r'"\ud800"', r'"\udc00"'),
    *(r'"\ud800\ud800"', r'"\udc00\ud800"', '"\ud800"', '"\0"', '"\n"', '"\t"', '"\x1f"'),
    *("[1,]", "[,1]", "[1 2]", "[1;2]", "[1:2]", "[", "]", "[1", "(1)", "<1>", "...", "*", "1]"),
    *("{,}", '{"a":1,}', '{"a" 1}', '{"a"}', "{a:1}", "{'a':1}", '{"a":1 "b":2}', "{1:2}"),
    *("{null:1}", "{", "}", '{"a":', '{"a":1', '{"a"::1}', '{"a":1,,"b":2}', '{["a"]:1}'),
    *("/* */ 1", "1 // x", "# 1", "<!-- --> 1", "\ufeff1", "\u00a01", "\u20281", "\x0c1", "1\0"),
    *('{"y": 1, "y": 2}', '[{"y": 1, "y": 1}]', r'{"\u0079": 1, "y": 1}', '{"": 1, "": 1}'),
    '{"auth_id": @, "auth_id": @}',
)
"""Invalid as strict JSON, like every object that contains one."""
TOO_MUCH = ("1" * 4301, "[" * 64 + "]" * 64, '{"a":' * 64 + "1" + "}" * 64, "[" * 8000)
"""Beyond our limits, though other parsers accept it."""
SIMILAR_KEYS = (
    *("AUTH_ID", "Auth_id", "auth_Id", "auth_id ", " auth_id", "auth-id", "auth.id", "authid"),
    *("authId", "auth__id", "auth_ids", "auth_i", "uth_id", "auth_id[]", "auth_id.$eq", "auth"),
    *("\u0430uth_id", "auth_\u0456d", "auth_\u0131d", "\uff41uth_id", "auth\uff3fid", "id", ""),
    *("auth_id\u200b", "auth_id\u0301", r"auth_id\u0000", r"\u0000auth_id", r"auth_id\n"),
    *(r"\"auth_id\"", r"\\u0061uth_id", "owner", "sub", "tenant_id", "__proto__"),
)
NO_OWNER = (
    *("", " ", "\0", "~", "@", "[@]", "null", '"auth_id"', '"auth_id": @', '["auth_id", @]'),
    *(
        '[["auth_id", @]]',
        '[{"auth_id": @}]',
        '{"auth": {"auth_id": @}}',
        '{"a": [{"auth_id": @}]}',
    ),
    *("auth_id=~", "auth_id: ~", "auth_id: @", "<auth_id>~</auth_id>", "[auth_id]\n~", "~:~"),
    *("{auth_id: @}", "{'auth_id': @}", "{'auth_id': '~'}", '{"auth_id": ~}', "{\"auth_id\": '~'}"),
    *('{"auth_id" = @}', '{"auth_id"; @}', '{"auth_id", @}', '{"auth_id" @}', '("auth_id": @)'),
    *('{"auth_id": @ @}', '{"auth_id": @ + @}', '{"auth_id": (@)}', '{"auth_id": u@}'),
    *('{"auth_id": @}}', '{{"auth_id": @}}', '{"auth_id": @} {}', '{"auth_id": @}{"auth_id": @}'),
    *(
        '{"auth_id": @}\n{"auth_id": @}',
        "callback({'auth_id': @})",
        '({"auth_id": @})',
        "{}",
        "{@}",
    ),
    *(f'{before}{{"auth_id": @}}' for before in ("\ufeff", "\u00a0", "\x0b", "\x1e", ")]}',\n")),
    *(f'{before}{{"auth_id": @}}' for before in ("\0", ",", "//\n", "/**/", "\u2028", "data: ")),
    *(f'{{"auth_id": @}}{behind}' for behind in ("\0", ",", ";", "x", "//", "\x1a", "\u2028", "]")),
)
"""Texts that are not an object, or have no ``auth_id`` at the top level."""
_COMPLETE = '{"auth_id": @, "x": [1, {"y": "z"}]}'


def _with_duplicate_keys() -> Iterator[str]:
    for first, second in (("@", "@"), ("@", '"other"'), ("@", "null"), ("@", "1"), ("@", '""')):
        for one, two in ((first, second), (second, first)):
            yield f'{{"auth_id": {one}, "auth_id": {two}}}'
            yield f'{{"auth_id": {one}, "x": {{}}, "\\u0061uth_id": {two}}}'
    yield '{"auth_id": @, "auth_id": @, "auth_id": @}'


def _damaged() -> Iterator[str]:
    yield from (_COMPLETE[:end] for end in range(1, len(_COMPLETE)))
    for mark in re.finditer(r'[][{}:,"]', _COMPLETE):
        yield _COMPLETE[: mark.start()] + _COMPLETE[mark.end() :]
        yield _COMPLETE[: mark.end()] + _COMPLETE[mark.start() :]


def _with_owner() -> Iterator[str]:
    yield from ('{"auth_id": \N{FULLWIDTH COMMERCIAL AT}}', _COMPLETE)
    for space in ("", " ", "\t", "\n", "\r", "\r\n\t "):
        yield space.join(("", "{", '"auth_id"', ":", "@", "}", ""))
    for place, letter in enumerate("auth_id"):
        escaped = f"{'auth_id'[:place]}\\u{ord(letter):04x}{'auth_id'[place + 1 :]}"
        yield f'{{"{escaped}": @}}'
    for value in (*VALUES, *TEXTS):
        yield f'{{"x": {value}, "auth_id": @}}'
        yield f'{{"auth_id": @, "x": {value}}}'
    for key in SIMILAR_KEYS:
        yield f'{{"{key}": "other", "auth_id": @}}'


def _without_owner() -> Iterator[str]:
    yield from NO_OWNER
    yield from _with_duplicate_keys()
    yield from _damaged()
    yield from (f'{{"auth_id": {value}}}' for value in (*VALUES, *BLANK))
    yield from (f'{{"{key}": @}}' for key in SIMILAR_KEYS)
    for value in (*MALFORMED, *TOO_MUCH):
        yield f'{{"x": {value}, "auth_id": @}}'
        yield f'{{"auth_id": @, "x": {value}}}'


METADATA: Mapping[str, Template] = {
    **{text: Template(text, "~") for text in _with_owner()},
    **{text: Template(text, None) for text in _without_owner()},
    **{
        text: Template(text, OTHER)
        for text in (f'{{"auth_id": "other", "{key}": @}}' for key in SIMILAR_KEYS)
    },
}
