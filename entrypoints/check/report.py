"""How findings and settings are shown."""

import os
import re
import sys
from collections.abc import Mapping

from attrs import field, frozen

from entrypoints.check.finding import Finding, Verdict
from entrypoints.cli.output import write_json, write_line
from entrypoints.settings.settings import SETTINGS

_COLORS: Mapping[Verdict, int] = {Verdict.OK: 32, Verdict.WARNING: 33, Verdict.FAILED: 31}
_MARKS: Mapping[Verdict, str] = {Verdict.FAILED: "FAILED", Verdict.UNKNOWN: "-"}
_MARK_WIDTH = 8
_CHECK_WIDTH = 22
_MASKED = "***"
_USER = re.compile(r"(?<=://)[^/]*@")


def settings_set(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings that are set, with secrets and of URLs user and query masked."""
    declared = [
        one for groups in SETTINGS.values() for group in groups for one in group.settings.values()
    ]
    shown = {}
    for setting in declared:
        for name in setting.names:
            value = variables.get(name, "")
            if value and setting.secret and name == setting.variable:
                shown[name] = _MASKED
            elif value:
                address, query, _ = _USER.sub(f"{_MASKED}@", value).partition("?")
                shown[name] = f"{address}?{_MASKED}" if query else address
    return shown


@frozen(kw_only=True)
class Report:
    """Writes each finding as a line, for a person or as JSON.

    A terminal gets colours unless ``NO_COLOR`` is set.
    """

    as_json: bool
    _colors: bool = field(init=False)

    @_colors.default
    def _has_colors(self) -> bool:
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def settings(self, values: Mapping[str, str]) -> None:
        """Write the settings.

        Raises:
            CannotWriteError: standard output cannot be written.
        """
        width = max(map(len, values), default=0)
        for name, value in values.items():
            if self.as_json:
                write_json({"setting": name, "value": value})
            else:
                write_line(f"{name:{width}}  {value}")

    def finding(self, found: Finding) -> None:
        """Write a finding, and what to do in a line of its own.

        Raises:
            CannotWriteError: standard output cannot be written.
        """
        if self.as_json:
            members = {"check": found.check, "verdict": found.verdict.value, "text": found.text}
            write_json({**members, "remedy": found.remedy} if found.remedy else members)
            return
        mark = _MARKS.get(found.verdict, found.verdict.value).ljust(_MARK_WIDTH)
        if self._colors and found.verdict in _COLORS:
            mark = f"\x1b[{_COLORS[found.verdict]}m{mark}\x1b[0m"
        write_line(f" {found.check:{_CHECK_WIDTH}}  {found.text}", before=mark)
        if found.remedy:
            write_line(f"{'':{_MARK_WIDTH}} {found.remedy}")
