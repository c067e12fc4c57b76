"""Reading environment variables: each wrong one is one line that never shows its value."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from attrs import define, field

T = TypeVar("T")

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_INTEGER = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_ALIKE = 0.9
_HARDLY_ALIKE = 0.6
_TOO_SHORT_TO_TELL = 6
_SERVICE_LINK = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP|SCTP)\w*)"
    r"=((tcp|udp|sctp)(://[\w.:\[\]]+)?|[\d.]+|[\da-f:]+)"
)
"""What Kubernetes sets by itself for a service of that name."""


class SettingsError(Exception):
    """A setting is wrong: which variable, what is wrong with it, and never its value."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")


@define
class Environment:
    """Environment variables that remember which of them are ours. Empty means unset."""

    _variables: Mapping[str, str] = field(repr=False)
    _ours: set[str] = field(init=False, factory=set)

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Read a variable through a parser.

        Raises:
            SettingsError: the parser raised ``ValueError``, whose text says what is wrong.
        """
        self._ours.add(name)
        value = self._variables.get(name, "")
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            raise SettingsError(name, str(error)) from None

    def refuse_strays(self, telling: re.Pattern[str]) -> None:
        """Refuse a variable that looks like a misspelt one of ours.

        One that is not ours but begins like ``telling`` is refused, however it is spelt: it tells
        of an intention that would be lost. What Kubernetes sets by itself is left alone.

        Raises:
            SettingsError: there is one; the text says which was meant.
        """
        for name in sorted(self._variables.keys() - self._ours):
            value = self._variables[name]
            if not value or _SERVICE_LINK.fullmatch(f"{name}={value}"):
                continue
            told = telling.match(name.upper())
            meant = _alike(name.upper(), self._ours, _HARDLY_ALIKE if told else _ALIKE)
            if meant:
                raise SettingsError(name, f"there is no such setting; is {meant} meant?")
            if told:
                raise SettingsError(name, "there is no such setting")


def _alike(name: str, ours: Iterable[str], cutoff: float) -> str | None:
    long_enough = [our for our in ours if len(our) >= _TOO_SHORT_TO_TELL]
    return next(iter(difflib.get_close_matches(name, long_enough, n=1, cutoff=cutoff)), None)


def boolean(value: str) -> bool:
    """Parse the usual words for yes and no."""
    word = value.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def one_of(*words: str) -> Callable[[str], str]:
    """Make a parser of some words, in any case."""

    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return parse


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Make a parser of plain decimal digits within bounds, both included."""

    def parse(value: str) -> int:
        if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return parse


def seconds(maximum: float) -> Callable[[str], float]:
    """Make a parser of a positive number of seconds up to a bound."""

    def parse(value: str) -> float:
        number = float(value) if _DECIMAL.fullmatch(value) else math.nan
        if not 0 < number <= maximum:
            raise ValueError(f"must be a number of seconds above 0, at most {maximum:g}")
        return number

    return parse


def printable(value: str) -> str:
    """Accept printable ASCII without spaces."""
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must be printable ASCII without spaces")
    return value
