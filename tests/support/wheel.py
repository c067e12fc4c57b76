"""The wheel of this project."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import PROJECT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, once for all workers of pytest-xdist."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "wheel"
    with (shared / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(folder.glob("*.whl")):
            build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps"]
            into = ["--no-build-isolation", "--wheel-dir", str(folder)]
            subprocess.run([*build, *into, PROJECT], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel
