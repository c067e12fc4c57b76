"""The README's tables against the code and the document."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from entrypoints.settings import load_settings
from tests.command import Run, paste
from tests.document import Document
from tests.service import DEMO_WISH

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
        for needs_another in (
            "AUTH_ALLOW_NO_ID",
            "AUTH_API_SECRET_ID",
            "AUTH_JWT_ID_CLAIM",
            "AUTH_JWT_LEEWAY_SECONDS",
            "AUTH_TIMEOUT_SECONDS",
        ):
            del told[needs_another]
        assert load_settings(told) == load_settings({})


@pytest.fixture
def in_readme(tmp_path: Path) -> tuple[dict[str, str], str]:
    """Make keys as told; give the settings that serve with them, and the lines that mute."""
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
    async def test_make_a_token_that_the_demo_takes(
        self, start: Run, tmp_path: Path, in_readme: tuple[dict[str, str], str]
    ) -> None:
        settings, mute = in_readme
        running = start("--gateway", "in-memory", **settings)
        line = mute.replace("http://127.0.0.1:3001", running.url)
        assert await paste(line, folder=tmp_path) == (200, DEMO_WISH)


class TestErrors:
    def test_are_those_of_the_document(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        told = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OVERLOADED|UNAUTHORIZED)`", README))
        assert set(documented) <= told
