"""The README's tables of settings, generated from their declarations by ``make settings-table``."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import fields_dict

from entrypoints.settings.environment import SettingGroup
from entrypoints.settings.settings import SETTINGS

README = Path(__file__).parents[2] / "README.md"
_GENERATED = re.compile(r"(?<=<!-- make settings-table -->\n).*(?=<!-- end -->)", re.DOTALL)


def with_settings_table(readme: str) -> str:
    """Replace the tables of settings in the README's text."""
    return _GENERATED.sub(lambda _: settings_table(), readme)


def settings_table() -> str:
    """Write a table of settings for each topic, in Markdown."""
    lines = []
    for topic, groups in SETTINGS.items():
        lines += ["", f"### {topic}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [row for group in groups for row in _rows(group)]
    return "\n".join([*lines, "", ""])


def _rows(group: SettingGroup[Any]) -> Iterator[str]:
    fields = fields_dict(group.fills)
    for name, setting in group.settings.items():
        yield f"| `{setting.variable}` |{_default(fields[name].default)} | {setting.help} |"
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
    README.write_text(with_settings_table(README.read_text()))
