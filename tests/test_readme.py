"""The README's tables against the code and the document."""

import re
from pathlib import Path

import pytest
from typing_extensions import override

from entrypoints.settings import load_settings
from tests.document import Document

README = (Path(__file__).parents[1] / "README.md").read_text()


class Asked(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    @override
    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(key)
        return default


@pytest.fixture
def settings() -> dict[str, str]:
    """The table of settings: each variable and its default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)` |see right |)\|", README, re.MULTILINE)
    return dict(rows)


class TestSettings:
    def test_are_those_that_are_read(self, settings: dict[str, str]) -> None:
        asked = Asked()
        load_settings(asked)
        assert set(settings) == asked.names

    def test_have_the_defaults_that_are_told(self, settings: dict[str, str]) -> None:
        told = {name: default for name, default in settings.items() if default}
        del told["AUTH_API_SECRET_ID"]  # which needs AUTH_API_SECRET beside it
        assert load_settings(told) == load_settings({})


class TestErrors:
    def test_are_those_of_the_document(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        told = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OVERLOADED|UNAUTHORIZED)`", README))
        assert set(documented) <= told
