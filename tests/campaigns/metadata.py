"""Room metadata of all kinds around a tenant's id, each with whom it names as the room's owner."""

import json
import re
from collections.abc import Iterator, Mapping

from attrs import frozen

OTHER = "other"

SPELLINGS: Mapping[str, Mapping[str, str]] = {
    "a name": {
        "as it is": "Zo\u00eb-7",
        "in small letters": "zo\u00eb-7",
        "in capitals": "ZO\u00cb-7",
        "decomposed": "Zoe\u0308-7",
        "in full width": "\uff3ao\u00eb-7",
        "with a Greek letter": "\u0396o\u00eb-7",
        "with a zero width space": "Zo\u00eb\u200b-7",
        "with a space behind it": "Zo\u00eb-7 ",
        "with NUL behind it": "Zo\u00eb-7\0",
        "escaped": "Zo\\u00eb-7",
        "quoted": '"Zo\u00eb-7"',
        "without its end": "Zo\u00eb-",
        "with more at its end": "Zo\u00eb-77",
        "in bytes of another encoding": "Zo\u00c3\u00ab-7",
    },
    "a number": {
        "as it is": "10",
        "with a fraction": "10.0",
        "with an exponent": "1e1",
        "with a zero before it": "010",
        "with a sign": "+10",
        "below zero": "-10",
        "in full width": "\uff11\uff10",
        "with a space behind it": "10 ",
        "with NUL behind it": "10\0",
        "quoted": '"10"',
        "without its end": "1",
        "with more at its end": "100",
        "hexadecimal": "0xA",
        "as a constant": "true",
    },
}
"""Ids that a careless reader takes for one another."""


@frozen
class Kind:
    """Metadata in which ``@`` stands for an id as a JSON string and ``~`` for it as it is."""

    template: str
    owner: str | None
    """Whom it names: ``~`` for the id."""

    def text(self, spelling: str) -> str:
        bare = spelling.strip('"')  # else it might be a JSON string after all
        quoted = json.dumps(spelling, ensure_ascii=False)
        escaped = "".join(f"\\u{ord(each):04X}" for each in spelling)
        parts = {"@": quoted, "~": bare, "\N{FULLWIDTH COMMERCIAL AT}": f'"{escaped}"'}
        return re.sub("|".join(parts), lambda found: parts[found[0]], self.template)

    def named(self, spelling: str) -> str | None:
        return spelling if self.owner == "~" else self.owner


VALUES = (
    *("null", "true", "false", "0", "-0", "1.5", "1e5", "1E+2", "1e-400", "9" * 30),
    *("[]", "[[]]", "{}", '["auth_id", @]', "[@]", '{"auth_id": "other"}', '{"auth_id": @}'),
    *('[{"auth_id": @}]', '{"a": {"auth_id": "other"}}', '{"id": @}', '{"$eq": @}', '{"": @}'),
    *("[" * 63 + "]" * 63, '{"a":' * 63 + "1" + "}" * 63, "[" + "[]," * 100 + "0]"),
)
"""Values of JSON that are no strings."""
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
"""What is no strict JSON, nor is any object that holds it."""
TOO_MUCH = ("1" * 4301, "[" * 64 + "]" * 64, '{"a":' * 64 + "1" + "}" * 64, "[" * 50_000)
"""What other readers may take."""
LOOKALIKES = (
    *("AUTH_ID", "Auth_id", "auth_Id", "auth_id ", " auth_id", "auth-id", "auth.id", "authid"),
    *("authId", "auth__id", "auth_ids", "auth_i", "uth_id", "auth_id[]", "auth_id.$eq", "auth"),
    *("\u0430uth_id", "auth_\u0456d", "auth_\u0131d", "\uff41uth_id", "auth\uff3fid", "id", ""),
    *("auth_id\u200b", "auth_id\u0301", r"auth_id\u0000", r"\u0000auth_id", r"auth_id\n"),
    *(r"\"auth_id\"", r"\\u0061uth_id", "owner", "sub", "tenant_id", "__proto__"),
)
WHOLES = (
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
"""Texts that are no object, or name nobody in the right place."""
_WHOLE = '{"auth_id": @, "x": [1, {"y": "z"}]}'


def _twice() -> Iterator[str]:
    for first, second in (("@", "@"), ("@", '"other"'), ("@", "null"), ("@", "1"), ("@", '""')):
        for one, two in ((first, second), (second, first)):
            yield f'{{"auth_id": {one}, "auth_id": {two}}}'
            yield f'{{"auth_id": {one}, "x": {{}}, "\\u0061uth_id": {two}}}'
    yield '{"auth_id": @, "auth_id": @, "auth_id": @}'


def _broken() -> Iterator[str]:
    yield from (_WHOLE[:end] for end in range(1, len(_WHOLE)))
    for mark in re.finditer(r'[][{}:,"]', _WHOLE):
        yield _WHOLE[: mark.start()] + _WHOLE[mark.end() :]
        yield _WHOLE[: mark.end()] + _WHOLE[mark.start() :]


def _naming() -> Iterator[str]:
    yield from ('{"auth_id": \N{FULLWIDTH COMMERCIAL AT}}', _WHOLE)
    for space in ("", " ", "\t", "\n", "\r", "\r\n\t "):
        yield space.join(("", "{", '"auth_id"', ":", "@", "}", ""))
    for place, letter in enumerate("auth_id"):
        escaped = f"{'auth_id'[:place]}\\u{ord(letter):04x}{'auth_id'[place + 1 :]}"
        yield f'{{"{escaped}": @}}'
    for value in (*VALUES, *TEXTS):
        yield f'{{"x": {value}, "auth_id": @}}'
        yield f'{{"auth_id": @, "x": {value}}}'
    for key in LOOKALIKES:
        yield f'{{"{key}": "other", "auth_id": @}}'


def _naming_nobody() -> Iterator[str]:
    yield from WHOLES
    yield from _twice()
    yield from _broken()
    yield from (f'{{"auth_id": {value}}}' for value in (*VALUES, *BLANK))
    yield from (f'{{"{key}": @}}' for key in LOOKALIKES)
    for value in (*MALFORMED, *TOO_MUCH):
        yield f'{{"x": {value}, "auth_id": @}}'
        yield f'{{"auth_id": @, "x": {value}}}'


METADATA: Mapping[str, Kind] = {
    **{text: Kind(text, "~") for text in _naming()},
    **{text: Kind(text, None) for text in _naming_nobody()},
    **{
        text: Kind(text, OTHER)
        for text in (f'{{"auth_id": "other", "{key}": @}}' for key in LOOKALIKES)
    },
}
