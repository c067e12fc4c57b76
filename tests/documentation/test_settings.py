"""The tables of docs/settings.md against the code."""

import re

import pytest
from typing_extensions import override

from entrypoints.settings.settings import load_settings
from tests.support.settings_table import PAGE, with_settings_table

TEXT = PAGE.read_text()


class Recorder(dict[str, str]):
    """An empty environment that records which variables are read."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    @override
    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(key)
        return default


@pytest.fixture
def settings() -> dict[str, str]:
    """The tables of settings: each variable and its default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|(?: `(.*?)`)? \|", TEXT, re.MULTILINE)
    return dict(rows)


class TestSettings:
    def test_are_generated_from_their_declarations(self) -> None:
        assert with_settings_table(TEXT) == TEXT, "run `make settings-table`"

    def test_are_those_that_are_read(self, settings: dict[str, str]) -> None:
        recorder = Recorder()
        load_settings(recorder)
        assert set(settings) == recorder.names

    def test_have_the_documented_defaults(self, settings: dict[str, str]) -> None:
        defaults = {name: default for name, default in settings.items() if default}
        needed = {
            "AUTH_API_SECRET": "s3cret",
            "AUTH_JWKS_URL": "https://keys.example.com",
            "AUTH_JWT_AUDIENCE": "mute",
        }
        assert load_settings({**defaults, **needed}) == load_settings(needed)
