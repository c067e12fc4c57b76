"""The texts of errors that the log may show as reasons, read from the source code."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from tests.support.imports import PROJECT, modules

_ROOTS = ("domain", "application", "adapters", "entrypoints/http", "entrypoints/workers")
_OTHERS = {
    "ValueError",
    "KeyError",
    "ImportError",
    "CannotListenError",
    "SettingsError",
    "_NoOwnerError",
}
"""Errors that are raised at the start, or caught where they are raised."""
_NAMES = ("problem", "reason", "answered")
_VARYING = "<>"


def trees() -> Sequence[ast.Module]:
    """Parse every module that a request may pass through."""
    return [ast.parse(path.read_text()) for root in _ROOTS for _, path in modules(PROJECT / root)]


def fragments(text: str) -> list[str]:
    """Take a text apart where a part varies, is left out or is put together with another."""
    parts = re.split(r"<[^>]*>|\.\.\.|: |; | \(|\)", text)
    return [part.strip() for part in parts if len(part.strip()) > len("and")]


def raised() -> set[str]:
    """Return the fragments of all texts that errors are made with."""
    parsed = trees()
    constants = dict(chain.from_iterable(map(_constants, parsed)))
    texts = chain.from_iterable(_texts(tree, constants) for tree in parsed)
    return {part for text in texts for part in fragments(text)}


def written() -> str:
    """Return all texts of the source code, one to a line."""
    parsed = trees()
    constants = dict(chain.from_iterable(map(_constants, parsed)))
    nodes = (node for tree in parsed for node in ast.walk(tree) if isinstance(node, ast.expr))
    return "\n".join(text for node in nodes for text in _values(node, constants))


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text
            case _:
                pass


def _texts(tree: ast.Module, constants: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if (
                name.endswith("Error") and name not in _OTHERS
            ):
                named = [each.value for each in keywords if each.arg in _NAMES]
                yield from (
                    text for each in [*args[:1], *named] for text in _values(each, constants)
                )
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _NAMES:
                yield from _values(value, constants)
            case _:
                pass


def _values(node: ast.expr, constants: Mapping[str, str]) -> Iterator[str]:
    """Yield the texts that an expression may have; what varies in them is ``<>``."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.JoinedStr(values=parts):
            yield "".join(next(_values(part, constants), _VARYING) for part in parts)
        case ast.FormattedValue(value=value):
            yield from _values(value, constants)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _values(body, constants)
            yield from _values(orelse, constants)
        case ast.BoolOp(values=values):
            yield from (text for value in values for text in _values(value, constants))
        case _:
            pass
