"""A project of somebody else, with the room gateway of docs/room-gateways.md, and its pytest."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.clauses_table import PAGE
from tests.support.imports import PROJECT

Finished = subprocess.CompletedProcess[str]


def documented_files() -> dict[str, str]:
    """Read the example's files from the page, with our packages' names in this repository."""
    blocks = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {name: code.replace("livekit_mute.", "") for name, code in blocks}


class UserProject:
    """The example's files in a folder, beside which others may be put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(documented_files())

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def pytest(self, *arguments: str, plugins: tuple[str, ...] = ()) -> Finished:
        """Run pytest, which knows of no plugin but these."""
        named = [argument for plugin in plugins for argument in ("-p", plugin)]
        return self._run("pytest", "-W", "error", "--strict-markers", *named, *arguments)

    def mypy(self) -> Finished:
        return self._run("mypy", "--strict", ".")

    @contextmanager
    def start(self, module: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Run a module of Python, whose output is to be read; it ends with the block at last."""
        own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1"}
        own |= dict.fromkeys(("PYTHONPATH", "MYPYPATH"), str(PROJECT))
        with subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
                process.wait()
            finally:
                process.kill()

    def _run(self, module: str, *arguments: str) -> Finished:
        with self.start(module, *arguments) as process:
            stdout, stderr = process.communicate()
        return Finished(process.args, process.returncode, stdout, stderr)
