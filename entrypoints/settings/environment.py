"""Declared settings, and the environment variables that they are read from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from entrypoints.settings.files import text_file
from entrypoints.settings.parsers import without_quotes

T = TypeVar("T")


class SettingsError(Exception):
    """A wrong setting: names the variable and what is wrong with it, never its value."""

    def __init__(self, variable: str, problem: str) -> None:
        name = variable if variable.isprintable() else ascii(variable)
        super().__init__(f"{name}: {problem}")


@frozen
class Setting:
    """An environment variable, the parser of its text, and its description in docs/settings.md.

    ``file`` is another variable, which may name a file that holds the text instead. Without any
    of the variables in ``needs`` this one would have no effect, which stops the start; without
    any of those in ``used_by`` it has none either, and a warning says so. The text of a ``secret``
    is never shown.
    """

    variable: str
    parse: Callable[[str], object]
    help: str
    file: str = field(default="", kw_only=True)
    needs: Sequence[str] = field(default=(), kw_only=True)
    used_by: Sequence[str] = field(default=(), kw_only=True)
    secret: bool = field(default=False, kw_only=True)

    @property
    def names(self) -> Sequence[str]:
        """The variables that set it."""
        return (self.variable, self.file) if self.file else (self.variable,)

    @property
    def path_variable(self) -> str:
        """The variable that names a file, empty if none does."""
        return self.file or (self.variable if self.variable.endswith("_PATH") else "")


@frozen
class SettingGroup(Generic[T]):
    """Settings by the field each of them fills in a class, which states the defaults."""

    fills: type[T]
    settings: Mapping[str, Setting]


@frozen
class Environment:
    """Environment variables; an empty one counts as unset."""

    variables: Mapping[str, str] = field(repr=False)

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
        value = self.variables[variable]
        try:
            return parse(without_quotes(value))
        except ValueError as error:
            problem = str(error)
        if value.endswith("\r"):
            problem += "; the value ends with a carriage return, as in a file of Windows"
        raise SettingsError(variable, problem)

    def need_one_of(self, *names: str, by: str) -> None:
        """Reject the variable ``by`` if it is set and none of ``names`` is.

        Raises:
            SettingsError: it has no effect; the text lists ``names``.
        """
        if self.is_set(by) and not any(self.is_set(name) for name in names):
            empty = [f"; {name} is empty" for name in names if name in self.variables]
            raise SettingsError(by, f"needs {listed(names)} to be set too{''.join(empty[:1])}")

    def is_set(self, name: str) -> bool:
        """Return whether a variable has a value."""
        return bool(self.variables.get(name, ""))


def listed(names: Sequence[str], last: str = "or") -> str:
    """Write names as a list in a sentence."""
    *most, end = names
    return f"{', '.join(most)} {last} {end}" if most else end
