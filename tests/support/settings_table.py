"""The tables of docs/settings.md, generated from their declarations by ``make settings-table``."""

import re
from collections.abc import Iterator
from typing import Any

from attrs import fields_dict

from entrypoints.settings.environment import SettingGroup
from entrypoints.settings.settings import SETTINGS
from tests.support.imports import PROJECT

PAGE = PROJECT / "docs" / "settings.md"
_GENERATED = re.compile(r"(?<=<!-- make settings-table -->\n).*(?=<!-- end -->)", re.DOTALL)


def with_settings_table(page: str) -> str:
    """Replace the tables of settings in the page's text."""
    return _GENERATED.sub(lambda _: settings_table(), page)


def settings_table() -> str:
    """Write a table of settings for each topic, in Markdown."""
    lines = []
    for topic, groups in SETTINGS.items():
        lines += ["", f"## {topic}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [row for group in groups for row in _rows(group)]
    return "\n".join([*lines, "", ""])


def _rows(group: SettingGroup[Any]) -> Iterator[str]:
    fields = fields_dict(group.fills)
    for name, setting in group.settings.items():
        help_ = setting.help.replace("docs/", "")  # links are those of a page in that folder
        yield f"| `{setting.variable}` |{_default(fields[name].default)} | {help_} |"
        if setting.file:
            yield f"| `{setting.file}` | | File to read `{setting.variable}` from, instead. |"


def _default(value: object) -> str:
    match value:
        case bool():
            return f" `{str(value).lower()}`"
        case int() | float():
            return f" `{value:.10g}`"
        case str() if value:
            return f" `{value}`"
        case _:
            return ""


if __name__ == "__main__":
    PAGE.write_text(with_settings_table(PAGE.read_text()))
