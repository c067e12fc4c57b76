"""The imports of the production code, and the table of what each package may import."""

import ast
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[2]
STDLIB = "stdlib"
ROOTS = ("domain", "application", "adapters", "entrypoints", "contract")
"""The packages of the product."""

Rules = Mapping[str, Collection[str]]


def allowed_imports() -> Rules:
    """Read ``[tool.allowed-imports]``: prefixes of dotted names, by package or module."""
    rules: Rules = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"][
        "allowed-imports"
    ]
    return rules


def rule_of(module: str, rules: Rules) -> str | None:
    """Find the key that is the module itself, or else the nearest package around it."""
    while module and module not in rules:
        module = module.rpartition(".")[0]
    return module or None


def forbidden_imports(module: str, source: str, rules: Rules) -> list[str]:
    """Return what a module imports beside its own package and what its rule allows."""
    key = rule_of(module, rules)
    allowed = {key, *rules[key]} if key else set[str]()
    return [name for name in imports(source) if not _is_allowed(name, allowed)]


def imports(source: str) -> Iterator[str]:
    """Yield the dotted name of every import, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (each.name for each in node.names)
            case ast.ImportFrom(level=0, module=str(module)):
                yield from (f"{module}.{each.name}" for each in node.names)
            case ast.ImportFrom():
                yield "a relative import"
            case _:
                pass


def _is_allowed(name: str, allowed: Collection[str | None]) -> bool:
    """Let the longest prefix of a name that has an entry decide, then the standard library."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in allowed or f"-{prefix}" in allowed:
            return prefix in allowed
    return STDLIB in allowed and parts[0] in sys.stdlib_module_names


def modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the path of every module below a folder of the project."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path
