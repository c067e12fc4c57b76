"""docs/check.md lists every check."""

import ast
import re
from collections.abc import Iterator

from tests.support.imports import PROJECT, modules

DOCUMENT = (PROJECT / "docs" / "check.md").read_text()


def checks() -> Iterator[str]:
    """Yield the name of each check, from the source code."""
    for _, path in modules(PROJECT / "entrypoints" / "check"):
        tree = ast.parse(path.read_text())
        names = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            if isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Name(id="Finding"), args=[ast.Constant(value=str(name)), *_]
                ):
                    yield name
                case ast.Call(func=ast.Name(id="Finding"), args=[ast.Name(id=name), *_]):
                    yield str(names[name])
                case _:
                    pass


def test_the_table_has_every_check_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \|", DOCUMENT, re.MULTILINE)
    assert len(rows) == len({*rows})
    assert {*rows} == {*checks()}
