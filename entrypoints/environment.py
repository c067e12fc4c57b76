"""Reading environment variables: each wrong one is one line that never shows its value."""

import difflib
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import define, field

T = TypeVar("T")

_MAX_FILE_BYTES = 16 * 1024 * 1024
_DASHES = str.maketrans("-.", "__")
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
        name = variable if variable.isprintable() else ascii(variable)
        super().__init__(f"{name}: {problem}")


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
        if not self.is_set(name):
            return default
        try:
            return parse(self._variables[name])
        except ValueError as error:
            raise SettingsError(name, str(error)) from None

    def read_file(self, name: str, parse: Callable[[bytes], T], default: T) -> T:
        """Read the file that a variable names through a parser of its bytes.

        Raises:
            SettingsError: it cannot be read, or the parser raised ``ValueError``.
        """
        return self.read(name, lambda path: parse(_read_file(path)), default)

    def read_secret(
        self, name: str, parse: Callable[[str], T], default: T, *, file: str | None = None
    ) -> T:
        """Read a variable, or the text file that its twin ``file`` (or ``<name>_FILE``) names.

        A line's end at the end of the file is not part of the secret.

        Raises:
            SettingsError: both are set, or either is wrong.
        """
        file = file or f"{name}_FILE"
        if self.is_set(file) and self.is_set(name):
            raise SettingsError(file, f"{name} is set too; set one of them")
        if self.is_set(file):
            return self.read_file(file, lambda content: parse(_secret(content)), default)
        return self.read(name, parse, default)

    def need_one_of(self, *names: str, by: str) -> None:
        """Refuse the variable ``by`` where it does nothing, since none of these is set.

        Raises:
            SettingsError: that is so.
        """
        if self.is_set(by) and not any(self.is_set(name) for name in names):
            *most, last = names
            wanted = f"{', '.join(most)} or {last}" if most else last
            raise SettingsError(by, f"needs {wanted} to be set too")

    def is_set(self, name: str) -> bool:
        """Tell whether a variable of ours has a value."""
        self._ours.add(name)
        return bool(self._variables.get(name, ""))

    def refuse_strays(self, telling: re.Pattern[str]) -> None:
        """Refuse a variable that looks like a misspelt one of ours.

        One that is not ours but begins like ``telling`` is refused, however it is spelt: it tells
        of an intention that would be lost. What Kubernetes sets by itself is left alone, and one
        of ours behind another word (``DB_MAX_CONNECTIONS``) is another program's.

        Raises:
            SettingsError: there is one; the text says which was meant.
        """
        for name in sorted(self._variables.keys() - self._ours):
            value = self._variables[name]
            if not value or _SERVICE_LINK.fullmatch(f"{name}={value}"):
                continue
            plain = name.upper().translate(_DASHES)
            told = telling.match(plain)
            ours = [our for our in self._ours if told or not plain.endswith(f"_{our}")]
            meant = _alike(plain, ours, _HARDLY_ALIKE if told else _ALIKE)
            if meant:
                raise SettingsError(name, f"there is no such setting; is {meant} meant?")
            if told:
                raise SettingsError(name, "there is no such setting")


def _alike(name: str, ours: Iterable[str], cutoff: float) -> str | None:
    long_enough = [our for our in ours if len(our) >= _TOO_SHORT_TO_TELL]
    for our in long_enough:
        if sorted(our) == sorted(name):
            return our
    return next(iter(difflib.get_close_matches(name, long_enough, n=1, cutoff=cutoff)), None)


def _read_file(path: str) -> bytes:
    file = Path(path)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise ValueError("the file is not a regular file")  # a pipe may never end
        with file.open("rb") as opened:
            content = opened.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError("the file is larger than 16 MiB")
    return content


def _secret(content: bytes) -> str:
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8") from None
    if not text:
        raise ValueError("the file is empty")
    return text
