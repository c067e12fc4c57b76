"""The README's tables against the code and the document."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from entrypoints.settings.settings import load_settings
from tests.support.command import Run, paste
from tests.support.openapi_document import Document
from tests.support.service import DEMO_REQUEST
from tests.support.settings_table import README as PATH
from tests.support.settings_table import with_settings_table

README = PATH.read_text()


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
    rows = re.findall(r"^\| `([A-Z_]+)` \|(?: `(.*?)`)? \|", README, re.MULTILINE)
    return dict(rows)


class TestSettings:
    def test_are_generated_from_their_declarations(self) -> None:
        assert with_settings_table(README) == README, "run `make settings-table`"

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


@pytest.fixture
def in_readme(tmp_path: Path) -> tuple[dict[str, str], str]:
    """Make the keys; give the settings of the server, and the command that mutes."""
    blocks = re.findall(
        r"```sh\n(.*?)```", README.replace(".venv/bin/python", sys.executable), re.DOTALL
    )
    serve, mute = (block for block in blocks if "private.pem" in block)
    make_keys, _, rest = serve.partition("AUTH_")
    subprocess.run(["/bin/sh", "-ec", make_keys], cwd=tmp_path, check=True)
    settings = dict(re.findall(r"(AUTH_\w+)=(\S+)", f"AUTH_{rest}"))
    settings["AUTH_JWT_PUBLIC_KEY_PATH"] = str(tmp_path / settings["AUTH_JWT_PUBLIC_KEY_PATH"])
    return settings, mute


class TestCommands:
    async def test_make_a_token_that_the_demo_accepts(
        self, start: Run, tmp_path: Path, in_readme: tuple[dict[str, str], str]
    ) -> None:
        settings, mute = in_readme
        running = start("--gateway", "in-memory", **settings)
        line = mute.replace("http://127.0.0.1:3001", running.url)
        assert await paste(line, folder=tmp_path) == (200, DEMO_REQUEST)


class TestErrors:
    def test_are_those_of_the_document(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        in_readme = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OVERLOADED|UNAUTHORIZED)`", README))
        assert set(documented) <= in_readme
