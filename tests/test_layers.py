"""Which package may import what, and what every package has."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import PROJECT, ROOTS, Rules, allowed_imports, forbidden_imports, modules

NOT_INSTALLED = {"benchmarks", "docs", "examples", "tests"}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return allowed_imports()


class TestPackages:
    def test_are_the_folders_on_disk(self) -> None:
        folders = {path.parent.name for path in PROJECT.glob("[a-z]*/*.py")}
        assert folders - NOT_INSTALLED == {*ROOTS}

    def test_state_their_law(self) -> None:
        """In their first lines, which say what belongs there and what it may know."""
        laws = {path: path.read_text() for root in ROOTS for path in _packages(root)}
        assert {path for path, law in laws.items() if len(law.split()) < 12} == set()


class TestRules:
    def test_are_stated_for_every_package_and_every_module_of_entrypoints(
        self, rules: Rules
    ) -> None:
        packages = {_dotted(path.parent) for root in ROOTS for path in _packages(root)}
        loose = {f"entrypoints.{path.stem}" for path in (PROJECT / "entrypoints").glob("[a-z]*.py")}
        assert packages | loose <= rules.keys()
        existing = {module for root in ROOTS for module, _ in modules(PROJECT / root)}
        assert rules.keys() <= existing

    @pytest.mark.parametrize("root", ROOTS)
    def test_are_kept(self, rules: Rules, root: str) -> None:
        broken = {
            module: found
            for module, path in modules(PROJECT / root)
            if (found := forbidden_imports(module, path.read_text(), rules))
        }
        assert broken == {}

    @pytest.mark.parametrize(
        ("module", "statement"),
        [
            ("adapters.in_memory.rooms", "import livekit.api"),
            ("adapters.identity.claims", "from livekit.api import AccessToken"),
            ("adapters.identity.claims", "import adapters.livekit.tokens"),
            ("adapters.livekit.calls", "from aiohttp import web"),
            ("adapters.livekit.calls", "import aiohttp.web"),
            ("adapters.livekit.calls", "from application.mute_track import MuteTrack"),
            ("adapters.livekit.calls", "def f():\n    import entrypoints.settings"),
            ("entrypoints.main", "import benchmarks.load"),
            ("entrypoints.main", "import tests.support.service"),
            ("entrypoints.main", "from adapters.livekit.room_gateway import open_gateway"),
            ("entrypoints.serve", "import adapters.in_memory.demo"),
            ("entrypoints.redaction", "from adapters.livekit.tokens import AccessTokens"),
            ("entrypoints.logs", "from adapters.livekit.tokens import AccessTokens"),
            ("entrypoints.settings.settings", "import dependency_injector"),
            ("entrypoints.settings.auth", "import adapters.identity.delegated"),
            ("entrypoints.http.limits", "from application.mute_track import MuteTrack"),
            ("entrypoints.http.app", "from entrypoints.container import Container"),
            ("entrypoints.http.api.mute_track", "import adapters.livekit.errors"),
            (
                "entrypoints.http.api.mute_track",
                "from entrypoints.settings.settings import Settings",
            ),
            ("entrypoints.http.api.mute_track", "import socket"),
            ("entrypoints.http.api.body", "import entrypoints.http.server.connection"),
            (
                "entrypoints.http.api.body",
                "from entrypoints.http.observers.request_log import request_log",
            ),
            ("entrypoints.http.server.connection", "import entrypoints.http.api.errors"),
            ("entrypoints.http.server.connection", "import application.mute_track"),
            (
                "entrypoints.http.observers.request_log",
                "from entrypoints.http.api import mute_track",
            ),
            ("entrypoints.cli.mute", "import adapters.livekit.errors"),
            ("entrypoints.cli.mute", "from entrypoints.settings.rooms import load_room_settings"),
            ("entrypoints.room_container", "import adapters.identity.chain"),
            ("application.mute_track", "import msgspec"),
            ("application.mute_track", "import orjson"),
            ("application.mute_track", "import socket"),
            ("application.ports.room_gateway", "import application.mute_track"),
            ("domain.room", "import asyncio"),
            ("domain.room", "from application.ports import room_gateway"),
            ("contract.twirp", "import adapters.livekit.errors"),
            ("contract.twirp", "from livekit.api import LiveKitAPI"),
            ("contract.twirp", "from . import rooms"),
            ("a_new_package.module", "import json"),
        ],
    )
    def test_catch(self, rules: Rules, module: str, statement: str) -> None:
        assert len(forbidden_imports(module, statement, rules)) == 1

    def test_keep_import_linters_layers(self) -> None:
        linter = Path(sys.executable).with_name("lint-imports")
        run = subprocess.run([linter], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout


def _packages(root: str) -> list[Path]:
    return sorted((PROJECT / root).rglob("__init__.py"))


def _dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(PROJECT).parts)
