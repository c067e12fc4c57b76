"""Random metadata, generated so that its owner is known without parsing it."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from attrs import field, frozen

from tests.robustness.metadata import BLANK, MALFORMED, SIMILAR_KEYS, SPELLINGS, Template

IDS = tuple(spelling for family in SPELLINGS.values() for spelling in family.values())
_SPACES = ("", "", "", " ", "\n", "\t ", "\r\n")
_SCALARS = (
    "null",
    "true",
    "false",
    "0",
    "-1.5e3",
    '""',
    '"}"',
    r'"\\\""',
    '"auth_id"',
    r'"\u0000"',
)
_NOT_OWNERS = (*BLANK, "null", "true", "10", "1e1", "[]", "{}")
_AFTER = ("}", "{}", ",", "\0", "x", '"', "\u00a0", "//", "0")
_BEFORE = ("\ufeff", "\u00a0", "[", "{", "x", "\0", ",", "\x0c")

Pair = tuple[str, str]
"""A member of an object: its key, and the JSON text of its value."""
T = TypeVar("T")


@frozen
class Metadata:
    text: str
    owner: str | None


@frozen
class Generator:
    """Generates metadata from a seed."""

    seed: int
    _random: Random = field(init=False, repr=False)

    @_random.default
    def _seeded(self) -> Random:
        return Random(self.seed)  # noqa: S311 - no secret

    def generate(self) -> Metadata:
        owner = self._choice(IDS) if self._chance(0.75) else None
        members = self._others()
        if owner is not None:
            self._add(members, "auth_id", self._string(owner))
        elif self._chance(0.5):
            self._add(members, "auth_id", self._choice((*_NOT_OWNERS, f"[{self._id()}]")))
        if self._chance(0.55):
            return Metadata(self._object(members), owner)
        return Metadata(self._choice(self._faults())(members), None)

    def damage(self, text: str) -> str:
        """Change a few characters, which may leave the text valid."""
        for _ in range(self._random.randint(1, 2)):
            at = self._random.randrange(len(text) + 1)
            gone = self._random.randrange(3)
            text = (
                text[:at]
                + self._choice(("", "", *'{}[]:,"\\ 0e.-u\0', '"auth_id"'))
                + text[at + gone :]
            )
        return text

    def _faults(self) -> Sequence[Callable[[list[Pair]], str]]:
        return (
            self._duplicate_key,
            self._malformed,
            self._truncated,
            self._prefixed,
            self._suffixed,
        )

    def _duplicate_key(self, members: list[Pair]) -> str:
        keys = [key for key, _ in members] or ["x"]
        twice = self._choice((*keys, "auth_id", "auth_id"))
        if twice not in keys or not members:
            self._add(members, twice, self._id())
        self._add(members, twice, self._id())
        return self._object(members) if self._chance(0.7) else self._nested_duplicate(members)

    def _nested_duplicate(self, members: list[Pair]) -> str:
        """Name an owner beside an object with a duplicate key."""
        return self._object([("auth_id", self._id()), ("x", self._object(members))])

    def _malformed(self, members: list[Pair]) -> str:
        value = Template(self._choice(MALFORMED), None).text(self._choice(IDS))
        self._add(members, "malformed", value)
        return self._object(members)

    def _truncated(self, members: list[Pair]) -> str:
        text = self._object(members).rstrip()
        return text[: self._random.randrange(len(text))]

    def _prefixed(self, members: list[Pair]) -> str:
        return self._choice(_BEFORE) + self._object(members)

    def _suffixed(self, members: list[Pair]) -> str:
        return self._object(members) + self._choice(_AFTER)

    def _object(self, members: list[Pair]) -> str:
        """Write an object with its members in random order."""
        self._random.shuffle(members)
        written = [
            self._padded(self._string(key)) + ":" + self._padded(value) for key, value in members
        ]
        return self._padded("{" + (",".join(written) or self._choice(_SPACES)) + "}")

    def _others(self) -> list[Pair]:
        """Generate members with different keys, none of them ``auth_id``."""
        keys = {
            json.loads(f'"{self._choice(SIMILAR_KEYS)}"') for _ in range(self._random.randrange(4))
        }
        return [(key, self._value(2)) for key in sorted(keys)]

    def _value(self, depth: int) -> str:
        match self._random.randrange(4 if depth else 2):
            case 0:
                return self._choice(_SCALARS)
            case 1:
                return self._id()
            case 2:
                values = [self._value(depth - 1) for _ in range(self._random.randrange(3))]
                return self._padded("[" + ",".join(values) + "]")
            case _:
                return self._object([("auth_id", self._value(depth - 1))])

    def _string(self, text: str) -> str:
        """Write a JSON string, with some of its characters escaped."""
        written = [
            f"\\u{ord(each):04{self._choice('xX')}}"
            if self._chance(0.1)
            else json.dumps(each)[1:-1]
            for each in text
        ]
        return '"' + "".join(written) + '"'

    def _id(self) -> str:
        return self._string(self._choice(IDS))

    def _add(self, members: list[Pair], key: str, value: str) -> None:
        members.insert(self._random.randint(0, len(members)), (key, value))

    def _padded(self, text: str) -> str:
        return self._choice(_SPACES) + text + self._choice(_SPACES)

    def _choice(self, of: Sequence[T]) -> T:
        return self._random.choice(of)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
