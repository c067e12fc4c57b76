"""The one JSON reader, for bodies, room metadata and secrets alike.

Two parsers that disagree about one text are a vulnerability (parser differential): one checks
what the other does not read.
"""

import json
import math
from collections.abc import Iterable
from typing import NoReturn

_WHITE_SPACE = " \t\n\r"
_BYTE_ORDER_MARK = "\ufeff"
_MAX_DEPTH = 64  # of our own, since each version of Python gives up at another depth
_TOO_DEEP = f"is nested more than {_MAX_DEPTH} deep"


class StrictJsonError(Exception):
    """A text is not strict JSON; the message says why and repeats nothing of the text."""


class DuplicateKeyError(StrictJsonError):
    """A key occurs twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__("a key is given twice in one object")
        self.key = key


def loads(text: bytes | str) -> object:
    """Parse a JSON text (RFC 8259) that every reader understands alike.

    Rejected besides what is not JSON: bytes that are not UTF-8, a byte order mark, a key given
    twice in one object at any depth, ``NaN`` and ``Infinity``, numbers that a double cannot hold
    (1e400) and integers of over 4,300 digits, a lone surrogate, and objects and arrays nested more
    than 64 deep.

    Raises:
        StrictJsonError: the text is not such a JSON text.
    """
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        raise StrictJsonError("is not UTF-8") from None
    if isinstance(text, str) and not text.isascii():
        _refuse_lone_surrogates(text)
    if decoded.startswith(_BYTE_ORDER_MARK):
        raise StrictJsonError("starts with a byte order mark")
    decoded = decoded.strip(_WHITE_SPACE)
    try:
        value, end = _DECODER.raw_decode(decoded)  # decode() looks for white space by two regexes
        if end != len(decoded):
            raise StrictJsonError("is not JSON")
        if decoded.count("[") + decoded.count("{") > _MAX_DEPTH:
            _refuse_deep_nesting(value)
        if "\\u" in decoded:
            _refuse_lone_surrogates(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        raise StrictJsonError(_TOO_DEEP) from None
    except ValueError:
        raise StrictJsonError("is not JSON") from None
    return value


def loads_object(text: bytes | str) -> dict[str, object]:
    """Parse a JSON text that is an object.

    Raises:
        StrictJsonError: the text is not strict JSON, or another kind of value.
    """
    value = loads(text)
    if not isinstance(value, dict):
        raise StrictJsonError("is not a JSON object")
    return value


def type_name(value: object) -> str:
    """Return what JSON calls the type of a parsed value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise DuplicateKeyError(key)
        members[key] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"holds {name}, which is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise StrictJsonError("holds a number that is too large")
    return number


def _refuse_deep_nesting(value: object) -> None:
    inside: list[object] = [value]
    for _ in range(_MAX_DEPTH):
        inside = [child for parent in inside for child in _children(parent)]
    if any(isinstance(one, dict | list) for one in inside):
        raise StrictJsonError(_TOO_DEEP)


def _children(value: object) -> Iterable[object]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _refuse_lone_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StrictJsonError("holds a lone surrogate") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_float=_finite
)
