"""The names that our modules have in this repository only, where a source has them."""

import ast
import re

from tests.support.imports import ROOTS

_MODULE = re.compile(rf"({'|'.join(ROOTS)})(\.\w+)+(:\w+)?")
_RUN = re.compile(r"(?<!\S)(?:-m|-p|--pyargs)[ =]([\w.]+)")


def as_installed(source: str) -> str:
    """Import what is ours by the names that it has where it is installed."""
    return re.sub(rf"(?m)^from (?={'|'.join(ROOTS)})", "from livekit_mute.", source)


def bare_names(source: bytes) -> list[str]:
    """Find the modules of ours that a source names as they are called in this repository."""
    found = [name for node in ast.walk(ast.parse(source)) for name in _named_modules(node)]
    return [name for name in found if name.partition(".")[0] in ROOTS]


def _named_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] * (not node.level)
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Call):
        return [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        run = _RUN.findall(node.value)
        return [*run, node.value] if _MODULE.fullmatch(node.value) else run
    return []
