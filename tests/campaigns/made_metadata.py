"""Metadata made at random, piece by piece, so that whom it names is known without reading it."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from attrs import field, frozen

from tests.campaigns.metadata import BLANK, LOOKALIKES, MALFORMED, SPELLINGS, Kind

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
_NO_OWNERS = (*BLANK, "null", "true", "10", "1e1", "[]", "{}")
_BEHIND = ("}", "{}", ",", "\0", "x", '"', "\u00a0", "//", "0")
_BEFORE = ("\ufeff", "\u00a0", "[", "{", "x", "\0", ",", "\x0c")

Pair = tuple[str, str]
"""A member of an object: its key, and its value as it is written."""
T = TypeVar("T")


@frozen
class Made:
    text: str
    owner: str | None


@frozen
class Maker:
    """Makes one metadata after another, each from the random numbers that its own number gives."""

    number: int
    _random: Random = field(init=False, repr=False)

    @_random.default
    def _seeded(self) -> Random:
        return Random(self.number)  # noqa: S311 - to be made again, not to be secret

    def make(self) -> Made:
        owner = self._one(IDS) if self._chance(0.75) else None
        members = self._others()
        if owner is not None:
            self._add(members, "auth_id", self._string(owner))
        elif self._chance(0.5):
            self._add(members, "auth_id", self._one((*_NO_OWNERS, f"[{self._tempting()}]")))
        if self._chance(0.55):
            return Made(self._sound(members), owner)
        return Made(self._one(self._faults())(members), None)

    def spoil(self, text: str) -> str:
        """Change a few characters, which may do harm or not."""
        for _ in range(self._random.randint(1, 2)):
            at = self._random.randrange(len(text) + 1)
            gone = self._random.randrange(3)
            text = (
                text[:at]
                + self._one(("", "", *'{}[]:,"\\ 0e.-u\0', '"auth_id"'))
                + text[at + gone :]
            )
        return text

    def _faults(self) -> Sequence[Callable[[list[Pair]], str]]:
        return (self._named_twice, self._malformed, self._cut, self._led_in, self._followed)

    def _named_twice(self, members: list[Pair]) -> str:
        keys = [key for key, _ in members] or ["x"]
        twice = self._one((*keys, "auth_id", "auth_id"))
        if twice not in keys or not members:
            self._add(members, twice, self._tempting())
        self._add(members, twice, self._tempting())
        return self._sound(members) if self._chance(0.7) else self._around(members)

    def _around(self, members: list[Pair]) -> str:
        """Name an owner well, around an object that names something twice."""
        return self._sound([("auth_id", self._tempting()), ("x", self._sound(members))])

    def _malformed(self, members: list[Pair]) -> str:
        value = Kind(self._one(MALFORMED), None).text(self._one(IDS))
        self._add(members, "malformed", value)
        return self._sound(members)

    def _cut(self, members: list[Pair]) -> str:
        text = self._sound(members).rstrip()
        return text[: self._random.randrange(len(text))]

    def _led_in(self, members: list[Pair]) -> str:
        return self._one(_BEFORE) + self._sound(members)

    def _followed(self, members: list[Pair]) -> str:
        return self._sound(members) + self._one(_BEHIND)

    def _sound(self, members: list[Pair]) -> str:
        """Write an object, in any order of what it holds."""
        self._random.shuffle(members)
        written = [
            self._spaced(self._string(key)) + ":" + self._spaced(value) for key, value in members
        ]
        return self._spaced("{" + (",".join(written) or self._one(_SPACES)) + "}")

    def _others(self) -> list[Pair]:
        """Make members that name nobody, each key another."""
        keys = {json.loads(f'"{self._one(LOOKALIKES)}"') for _ in range(self._random.randrange(4))}
        return [(key, self._value(2)) for key in sorted(keys)]

    def _value(self, depth: int) -> str:
        match self._random.randrange(4 if depth else 2):
            case 0:
                return self._one(_SCALARS)
            case 1:
                return self._tempting()
            case 2:
                values = [self._value(depth - 1) for _ in range(self._random.randrange(3))]
                return self._spaced("[" + ",".join(values) + "]")
            case _:
                return self._sound([("auth_id", self._value(depth - 1))])

    def _string(self, text: str) -> str:
        """Write a string, any of its characters escaped."""
        written = [
            f"\\u{ord(each):04{self._one('xX')}}" if self._chance(0.1) else json.dumps(each)[1:-1]
            for each in text
        ]
        return '"' + "".join(written) + '"'

    def _tempting(self) -> str:
        return self._string(self._one(IDS))

    def _add(self, members: list[Pair], key: str, value: str) -> None:
        members.insert(self._random.randint(0, len(members)), (key, value))

    def _spaced(self, text: str) -> str:
        return self._one(_SPACES) + text + self._one(_SPACES)

    def _one(self, of: Sequence[T]) -> T:
        return self._random.choice(of)

    def _chance(self, part: float) -> bool:
        return self._random.random() < part
