"""Names of aiohttp that are not public: in one file, checked at import, its version bounded."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol

PROJECT = Path(__file__).parents[4]
HTTP = PROJECT / "entrypoints" / "http"
INTERNALS = HTTP / "server" / "aiohttp_internals.py"
PUBLIC_MODULES = {"aiohttp", "aiohttp.http", "aiohttp.typedefs"}
PRIVATE_ATTRIBUTES = {
    name
    for name in (*web.RequestHandler.__slots__, *BaseProtocol.__slots__)
    if name.startswith("_")
}


def private_uses(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("aiohttp"):
                private = [each.name for each in node.names if each.name.startswith("_")]
                yield from [module] * (module not in PUBLIC_MODULES) + private
            case ast.Attribute(attr=name) if name in PRIVATE_ATTRIBUTES:
                yield name


class TestPrivateNames:
    def test_are_used_in_one_file(self) -> None:
        uses = {path: set(private_uses(path)) for path in HTTP.rglob("*.py")}
        assert {path for path, names in uses.items() if names} == {INTERNALS}

    @pytest.mark.parametrize(
        "change",
        [
            "del web_protocol._ErrInfo",
            "web_protocol.RequestHandler.__slots__ = ()",
            "web_protocol.BaseProtocol.__slots__ = ()",
        ],
    )
    def test_fail_the_import_where_they_are_gone(self, change: str) -> None:
        program = f"""
from aiohttp import web_protocol
{change}
import entrypoints.http.server.aiohttp_internals
"""
        run = subprocess.run(
            [sys.executable, "-c", program],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 1
        assert "ImportError" in run.stderr

    def test_belong_to_a_version_with_an_upper_bound(self) -> None:
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
        [aiohttp] = [each for each in project["dependencies"] if each.startswith("aiohttp")]
        assert re.fullmatch(r"aiohttp>=[\d.]+,<[\d.]+", aiohttp)
