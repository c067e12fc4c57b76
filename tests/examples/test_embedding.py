"""docs/embedding.md: its programs, and its list of public names."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.examples.programs import Programs, check_types
from tests.support.imports import PROJECT, imports

PAGE = (PROJECT / "docs" / "embedding.md").read_text()
PYTHON = r"```python\n(.*?)```"
PROGRAMS = re.findall(rf"{PYTHON}\n\n```text\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = sorted((PROJECT / "examples").rglob("*.py"))
PACKAGE = "livekit_mute."


def public_names() -> set[str]:
    rows = re.findall(r"^\| `(livekit_mute[\w.]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    return {f"{module}.{name}" for module, names in rows for name in re.findall(r"`(\w+)`", names)}


def imported_names(source: str) -> set[str]:
    return {name for name in imports(source) if name.startswith(PACKAGE)}


class TestPrograms:
    def test_are_all_that_the_page_has(self) -> None:
        assert len(PROGRAMS) == PAGE.count("```python") > 0

    @pytest.mark.parametrize(("program", "expected"), PROGRAMS)
    async def test_print_what_the_page_says(
        self, programs: Programs, tmp_path: Path, program: str, expected: str
    ) -> None:
        assert await programs.run("-W", "error", "-c", program, folder=tmp_path) == expected


class TestPublicNames:
    def test_exist(self) -> None:
        names = [name.removeprefix(PACKAGE).rpartition(".") for name in public_names()]
        missing = [
            (module, name) for module, _, name in names if not hasattr(import_module(module), name)
        ]
        assert (bool(names), missing) == (True, [])

    def test_are_all_that_examples_and_documentation_import(self) -> None:
        pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
        blocks = [
            block for page in pages for block in re.findall(PYTHON, page.read_text(), re.DOTALL)
        ]
        sources = [*(path.read_text() for path in EXAMPLES), *blocks]
        used = set().union(*map(imported_names, sources))
        assert used - public_names() == set()

    async def test_of_use_cases_load_no_server_and_no_client(
        self, programs: Programs, tmp_path: Path
    ) -> None:
        light = ("domain", "application", "adapters.in_memory")
        names = [name.rpartition(".") for name in sorted(public_names())]
        lines = [
            f"from {module} import {name}"
            for module, _, name in names
            if module.startswith(tuple(f"{PACKAGE}{each}." for each in light))
        ]
        heavy = "print({'aiohttp', 'google.protobuf', 'livekit', 'structlog'} & {*sys.modules})"
        program = "\n".join(["import sys", *lines, heavy])
        assert await programs.run("-c", program, folder=tmp_path) == "set()\n"


class TestTypes:
    def test_are_accepted_by_mypy_in_strict_mode(self, library: Path, tmp_path: Path) -> None:
        for number, (program, _) in enumerate(PROGRAMS):
            (tmp_path / f"program_{number}.py").write_text(program)
        need_more = {"agent.py", "janus_client.py", "janus_rooms.py", "test_janus_room_gateway.py"}
        examples = [path for path in EXAMPLES if path.name not in need_more]
        check_types(library, *tmp_path.glob("*.py"), *examples)
