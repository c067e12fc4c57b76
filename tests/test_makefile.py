"""What `make` says of the Python that it would use, before anything is installed."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.imports import PROJECT

FAKE = """#!{python}
import sys
sys.version_info = ({version}, "final", 0)
if {without_venv}: sys.modules["ensurepip"] = None
if sys.argv[1] == "-m": sys.exit("asked for " + sys.argv[2])
exec(sys.argv[2])
"""

Make = Callable[..., subprocess.CompletedProcess[str]]
Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A Python of another version, which makes no environments."""

    def made(name: str, *version: int, without_venv: bool = False) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        reported = ", ".join(map(str, version))
        path.write_text(
            FAKE.format(python=sys.executable, version=reported, without_venv=without_venv)
        )
        path.chmod(0o755)
        return path

    return made


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Run the real make where no Python is found but the fake ones."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("awk", "cat", "find", "make", "sh", "tail"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        places = (f"VENV={tmp_path}/venv", f"DEV={tmp_path}/dev", f"PYENV_ROOT={tmp_path}/pyenv")
        return subprocess.run(
            ["make", "-C", PROJECT, "--no-print-directory", *arguments, *places],
            capture_output=True,
            check=False,
            env={"PATH": f"{tmp_path}/bin:{tools}", "HOME": os.devnull},
            text=True,
        )

    return run


class TestMake:
    @pytest.mark.parametrize("target", ["run", "test", "audit"])
    @pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 18), (3, 10, 13)])
    def test_says_in_one_line_what_it_needs_and_names_a_python_that_is_here(
        self, make: Make, fake: Fake, version: tuple[int, ...], target: str
    ) -> None:
        fake("python3", *version)
        fake("python3.12", 3, 12, 1)
        fake("python3.13", 3, 13, 0)
        fake("python3.14", 3, 14, 0).write_text("#!/bin/sh\nexit 127\n")  # as pyenv's may be
        [line] = make(target).stderr.splitlines()
        assert (
            f"python3 is Python {version[0]}.{version[1]}; Python 3.11 or newer is needed" in line
        )
        assert f"make {target} PYTHON=python3.13" in line

    def test_says_so_where_there_is_no_python(self, make: Make) -> None:
        [line] = make("run").stderr.splitlines()
        assert "python3 is not found" in line
        assert "Python 3.11 or newer is needed" in line
        assert "make run PYTHON=python3.14" in line

    def test_names_the_package_that_debian_splits_off(self, make: Make, fake: Fake) -> None:
        fake("python3", 3, 13, 5, without_venv=True)
        [line] = make("run").stderr.splitlines()
        assert "apt install python3.13-venv" in line

    @pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (3, 15, 0), (4, 0, 0)])
    def test_uses_every_python_that_is_new_enough(
        self, make: Make, fake: Fake, version: tuple[int, ...]
    ) -> None:
        named = fake("named", *version)
        assert "asked for venv" in make("run", f"PYTHON={named}").stderr

    @pytest.mark.parametrize("target", ["help", "clean"])
    def test_needs_no_python_for_what_runs_without(self, make: Make, target: str) -> None:
        run = make("--dry-run", target)
        assert (run.returncode, run.stderr) == (0, "")

    def test_tests_on_all_pythons_each_in_its_own_environment(self, make: Make, fake: Fake) -> None:
        for minor in (10, 11, 13, 15):
            fake(f"python3.{minor}", 3, minor, 0)
        steps = make("--dry-run", "--always-make", "test-all").stdout
        made = re.findall(r"^(\S+) -m venv (\S+)$", steps, re.MULTILINE)
        assert made == [("python3.11", ".venv-3.11"), ("python3.13", ".venv-3.13")]

    def test_fails_if_there_is_no_python_to_test_on(self, make: Make) -> None:
        run = make("test-all")
        assert run.returncode != 0
        assert "none of python3.11 python3.12 python3.13 python3.14 starts here" in run.stderr


class TestInstalled:
    @pytest.fixture(autouse=True)
    def _environment(self, tmp_path: Path, fake: Fake) -> None:
        folder = tmp_path / "venv" / "bin"
        folder.mkdir(parents=True)
        (folder / "python").symlink_to(sys.executable)
        (folder / "pip").write_text("#!/bin/sh\nexit 0\n")
        (folder / "pip").chmod(0o755)
        fake("other", 3, 99, 0).write_text("#!/bin/sh\necho another\n")

    def test_stays_until_a_source_changes_or_is_gone(self, make: Make, tmp_path: Path) -> None:
        installed = tmp_path / "venv" / "installed"
        for wanted in ("pip install", "up to date", "pip install", "up to date"):
            assert ("installing livekit-mute" in make("install").stdout) is ("pip" in wanted)
            if wanted == "up to date":
                installed.write_text(
                    installed.read_text().replace("domain/", "domain/gone.py domain/", 1)
                )

    def test_is_not_used_for_another_python(self, make: Make, tmp_path: Path) -> None:
        [line, _] = make("install", f"PYTHON={tmp_path}/bin/other").stderr.splitlines()
        assert f"{tmp_path}/venv was made with another Python" in line
        assert f"rm -rf {tmp_path}/venv" in line
        assert make("install", f"PYTHON={sys.executable}").returncode == 0


class TestVersions:
    def test_are_the_same_in_the_makefile_and_in_the_metadata(self) -> None:
        listed = re.search(r"^PYTHONS := (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
        assert listed
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
        declared = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
        assert listed[1].split() == declared
        assert project["requires-python"] == f">={declared[0]}"
