"""Places the packages below one name in the wheel: ``domain`` becomes ``livekit_mute.domain``.

In the repository the packages have names of their own; in the environment of another program these
could be taken.
"""

import ast
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NAME = "livekit_mute"
_DOCSTRING = (
    '"""Mutes and unmutes tracks in LiveKit rooms; ``docs/embedding.md`` lists what is public."""\n'
)
_PACKAGES = ("domain", "application", "adapters", "entrypoints", "contract")


class OneNameHook(BuildHookInterface[Any]):
    """Builds the wheel from copies of the packages, in which import statements have the name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the copies into a temporary folder, and have them included."""
        if self.target_name != "wheel":
            return
        if version == "editable":
            raise RuntimeError(
                "cannot be installed editable: run it in its folder (python -m entrypoints.main)"
            )
        self._folder = TemporaryDirectory()
        for path in _files(Path(self.root)):
            copy = Path(self._folder.name, path.relative_to(self.root))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(
                _renamed(path.read_bytes()) if path.suffix == ".py" else path.read_bytes()
            )
        Path(self._folder.name, "__init__.py").write_text(_DOCSTRING)
        Path(self._folder.name, "py.typed").touch()
        build_data["force_include"][self._folder.name] = _NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        del version, build_data, artifact_path
        if self.target_name == "wheel":
            self._folder.cleanup()


def _files(root: Path) -> list[Path]:
    paths = (path for package in _PACKAGES for path in (root / package).rglob("*"))
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def _renamed(source: bytes) -> bytes:
    """Put the name in front of our packages in ``from ... import`` statements."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line.replace(b"from ", f"from {_NAME}.".encode(), 1)
    return b"".join(lines)


def _is_ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in _PACKAGES
