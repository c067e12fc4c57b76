"""The wheel, built, installed into an environment of its own and served from."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*pip, *build, folder, PROJECT], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run(
        [*pip, "--python", folder / "venv", "install", "-c", PROJECT / "constraints.txt", wheel],
        check=True,
    )
    return folder / "venv" / "bin"


@pytest.fixture
def url(environment: Path, tmp_path: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [environment / "livekit-mute", "serve", "--gateway", "in-memory", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    with process.stderr as log:
        yield next(event["url"] for event in map(json.loads, log) if "url" in event)
        process.terminate()
        log.read()
    assert process.wait(20) == 0


class TestWheel:
    def test_serves(self, url: str) -> None:
        with urllib.request.urlopen(f"{url}/readyz") as answer:  # noqa: S310 - our own
            assert json.load(answer) == {"status": "READY"}

    def test_holds_the_contract_and_no_tests(self, environment: Path) -> None:
        [packages] = environment.parent.glob("lib/*/site-packages")
        assert (packages / "contract" / "openapi.yaml").exists()
        assert (packages / "domain" / "py.typed").exists()
        assert not (packages / "tests").exists()
        assert not (packages / "findings").exists()
