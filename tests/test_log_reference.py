"""docs/log.md lists every event and every code, because operators alert on them."""

import ast
import re
from collections.abc import Iterator

import pytest

from entrypoints.http.api.error_responses import ERROR_RESPONSES
from tests.support.imports import PROJECT, modules

REFERENCE = (PROJECT / "docs" / "log.md").read_text()
LEVELS = {"debug", "info", "warning", "error"}


def section(title: str) -> set[str]:
    """Return the first column of the table below a heading."""
    _, _, rest = REFERENCE.partition(f"\n## {title}\n")
    return set(re.findall(r"^\| `([^`]+)` \|", re.split(r"\n##+ ", rest)[0], re.MULTILINE))


def events_logged(tree: ast.Module) -> Iterator[str]:
    """Yield the text of every event: a literal, or a constant of the module."""
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level), args=[event, *_]
            ) if level in LEVELS:
                match event:
                    case ast.Constant(value=str(text)):
                        yield text
                    case ast.Name(id=name) if name in constants:
                        yield str(constants[name])
                    case _:
                        yield f"not a constant: {ast.unparse(event)}"


class TestEvents:
    def test_are_those_that_are_logged(self) -> None:
        logged = {
            event
            for root in ("adapters", "entrypoints")
            for _, path in modules(PROJECT / root)
            for event in events_logged(ast.parse(path.read_text()))
        }
        assert section("Events") == logged


class TestCodes:
    def test_are_those_of_responses(self) -> None:
        assert section("Codes") == {row.code for row in ERROR_RESPONSES.values()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('log.info("a")', ["a"]),
        ('A = "a"\nlog.error(A, x=1)', ["a"]),
        ('log.info(f"a {b}")', ["not a constant: f'a {b}'"]),
        ('other.info("a")', []),
    ],
)
def test_events_are_found(source: str, expected: list[str]) -> None:
    assert list(events_logged(ast.parse(source))) == expected
