"""Declared settings, and the environment variables that they are read from."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from entrypoints.settings.files import text_file

T = TypeVar("T")

_SEPARATORS = str.maketrans("-.", "__")
_MISSPELLING_CUTOFF = 0.9
_AUTH_MISSPELLING_CUTOFF = 0.6
_MIN_COMPARED_CHARACTERS = 6
_KUBERNETES_SERVICE_LINK = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP|SCTP)\w*)"
    r"=((tcp|udp|sctp)(://[\w.:\[\]]+)?|[\d.]+|[\da-f:]+)"
)
"""The variables that Kubernetes sets by itself for each service, as ``NAME=value``."""


class SettingsError(Exception):
    """A wrong setting: names the variable and what is wrong with it, never its value."""

    def __init__(self, variable: str, problem: str) -> None:
        name = variable if variable.isprintable() else ascii(variable)
        super().__init__(f"{name}: {problem}")


@frozen
class Setting:
    """An environment variable, the parser of its text, and its description in the README.

    ``file`` is another variable, which may name a file that holds the text instead. ``needs``
    lists variables without any of which this one would have no effect.
    """

    variable: str
    parse: Callable[[str], object]
    help: str
    file: str = field(default="", kw_only=True)
    needs: Sequence[str] = field(default=(), kw_only=True)


@frozen
class SettingGroup(Generic[T]):
    """Settings by the field each of them fills in a class, which states the defaults."""

    fills: type[T]
    settings: Mapping[str, Setting]


@define
class Environment:
    """Environment variables; an empty one counts as unset."""

    _variables: Mapping[str, str] = field(repr=False)
    _known: set[str] = field(init=False, factory=set)

    def fill(self, group: SettingGroup[T], **others: object) -> T:
        """Make an object of the group's class; ``others`` are fields that no variable sets.

        Raises:
            SettingsError: as :meth:`values` does.
        """
        return group.fills(**{**others, **self.values(group)})

    def values(self, group: SettingGroup[T]) -> dict[str, Any]:
        """Parse the variables of a group that are set, by the field each of them fills.

        Raises:
            SettingsError: a variable is wrong, is set beside its file, or needs another one.
        """
        values = {}
        for name, setting in group.settings.items():
            variable, parse = setting.variable, setting.parse
            if setting.file and self.is_set(setting.file):
                if self.is_set(variable):
                    raise SettingsError(setting.file, f"{variable} is set too; set one of them")
                variable, parse = setting.file, text_file(setting.parse)
            if self.is_set(variable):
                values[name] = self._parse(variable, parse)
        for setting in group.settings.values():
            if setting.needs:
                self.need_one_of(*setting.needs, by=setting.variable)
        return values

    def _parse(self, variable: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self._variables[variable])
        except ValueError as error:
            raise SettingsError(variable, str(error)) from None

    def need_one_of(self, *names: str, by: str) -> None:
        """Reject the variable ``by`` if it is set and none of ``names`` is.

        Raises:
            SettingsError: it has no effect; the text lists ``names``.
        """
        if self.is_set(by) and not any(self.is_set(name) for name in names):
            *most, last = names
            needed = f"{', '.join(most)} or {last}" if most else last
            raise SettingsError(by, f"needs {needed} to be set too")

    def is_set(self, name: str) -> bool:
        """Return whether a variable has a value, and remember that its name is known."""
        self._known.add(name)
        return bool(self._variables.get(name, ""))

    def reject_unknown_variables(self, auth_like: re.Pattern[str]) -> None:
        """Reject a variable whose name looks like a misspelling of a known one.

        A name that starts like ``auth_like`` is rejected however it is spelt: whoever set it
        expects authentication. Variables that Kubernetes sets are ignored, and so is a known name
        with a prefix (``DB_MAX_CONNECTIONS``), which belongs to another program.

        Raises:
            SettingsError: there is one; the text suggests the name that was probably meant.
        """
        for name in sorted(self._variables.keys() - self._known):
            value = self._variables[name]
            if not value or _KUBERNETES_SERVICE_LINK.fullmatch(f"{name}={value}"):
                continue
            normalized = name.upper().translate(_SEPARATORS)
            is_auth_like = auth_like.match(normalized)
            known = [
                one for one in self._known if is_auth_like or not normalized.endswith(f"_{one}")
            ]
            cutoff = _AUTH_MISSPELLING_CUTOFF if is_auth_like else _MISSPELLING_CUTOFF
            suggestion = _closest(normalized, known, cutoff)
            if suggestion:
                raise SettingsError(name, f"unknown setting; did you mean {suggestion}?")
            if is_auth_like:
                raise SettingsError(name, "unknown setting")


def _closest(name: str, known: Iterable[str], cutoff: float) -> str | None:
    long_enough = [one for one in known if len(one) >= _MIN_COMPARED_CHARACTERS]
    for one in long_enough:
        if sorted(one) == sorted(name):
            return one
    return next(iter(difflib.get_close_matches(name, long_enough, n=1, cutoff=cutoff)), None)
