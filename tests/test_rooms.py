"""What import-linter cannot say of the rooms."""

import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

PROJECT = Path(__file__).parents[1]
NOT_ROOMS = {"benchmarks", "docs", "tests"}


@pytest.fixture(scope="module")
def rooms() -> list[str]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    names: list[str] = settings["tool"]["importlinter"]["root_packages"]
    return names


class TestRooms:
    def test_are_the_folders_on_disk(self, rooms: list[str]) -> None:
        folders = {path.parent.name for path in PROJECT.glob("[a-z]*/*.py")}
        assert folders - NOT_ROOMS == set(rooms)

    def test_keep_to_their_imports(self) -> None:
        linter = Path(sys.executable).with_name("lint-imports")
        run = subprocess.run([linter], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout

    def test_open_with_their_law(self, rooms: list[str]) -> None:
        for room in rooms:
            first = (PROJECT / room / "__init__.py").read_text()
            assert first.startswith('"""'), room

    def test_are_typed(self, rooms: list[str]) -> None:
        assert all((PROJECT / room / "py.typed").exists() for room in rooms)


class TestDomain:
    def test_imports_the_standard_library_and_attrs_alone(self) -> None:
        graph = grimp.build_graph(
            "domain", include_external_packages=True, exclude_type_checking_imports=False
        )
        imported = {
            target.partition(".")[0]
            for module in graph.modules
            if module.partition(".")[0] == "domain"
            for target in graph.find_modules_directly_imported_by(module)
        }
        allowed = {"domain", "attrs", "typing_extensions"} | set(sys.stdlib_module_names)
        assert imported <= allowed
        assert "attrs" in imported
