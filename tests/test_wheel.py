"""The wheel, built, and installed beside a program that has packages of the same names."""

import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.rest.clause import all_clauses
from entrypoints.version import VERSION
from tests.contract.rest_servers import running_servers
from tests.support.bare_names import as_installed, bare_names
from tests.support.imports import PROJECT, ROOTS
from tests.support.timeouts import scaled

SUITE = {
    "tests/support/rooms/arranged.py": "tests/support/rooms/arranged.py",
    "tests/adapters/in_memory/test_room_gateway.py": "tests/test_room_gateway.py",
}
PROGRAM = {
    **{f"{package}/__init__.py": "" for package in (*ROOTS, "tests")},
    "adapters/database.py": "",
    "program.py": """
import asyncio

from livekit_mute.adapters.in_memory.demo import DEMO, demo_room_gateway
from livekit_mute.application.mute_track import MuteTrack, MuteTrackCommand
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.caller import AnonymousCaller
from livekit_mute.domain.track import Track

import adapters.database
import domain


async def mute() -> Track:
    access = RoomAccess(gateway=demo_room_gateway(), timeout_s=60.0)
    command = MuteTrackCommand(
        caller=AnonymousCaller(),
        participant=DEMO.participant,
        track_sid=DEMO.track_sid,
        muted=True,
    )
    return await MuteTrack(access=access).execute(command)


print(asyncio.run(mute()).muted, domain.__name__, adapters.database.__name__)
""",
}


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(folder)]
    install = ["install", "--constraint", str(PROJECT / "constraints.txt")]
    subprocess.run([*pip, *install, f"livekit-mute[contract] @ {wheel.as_uri()}"], check=True)
    return folder / "bin"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program with packages of its own that are named as ours are in this repository."""
    for name, text in PROGRAM.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(program: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=program,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(100),
    )


@pytest.fixture
def url(environment: Path, program: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [environment / "livekit-mute", "serve", "--gateway", "in-memory", "--port", "0"],
        cwd=program,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ".", "LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    with process.stderr as log:
        yield next(event["url"] for event in map(json.loads, log) if "url" in event)
        process.terminate()
        log.read()
    assert process.wait(scaled(20)) == 0


class TestWheel:
    def test_has_everything_below_one_name(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        metadata = f"livekit_mute-{VERSION}.dist-info"
        assert {name.partition("/")[0] for name in names} == {"livekit_mute", metadata}
        assert {"livekit_mute/py.typed", "livekit_mute/contract/openapi.yaml"} <= {*names}
        assert len(names) == len({*names})

    def test_names_no_module_of_ours_without_that_name(self, wheel: Path) -> None:
        """Neither in imports nor in strings, with which modules are loaded or run, too."""
        archive = zipfile.ZipFile(wheel)
        sources = [name for name in archive.namelist() if name.endswith(".py")]
        assert len(sources) > 90
        assert [(name, bare) for name in sources for bare in bare_names(archive.read(name))] == []

    @pytest.mark.parametrize(
        "source",
        [
            "from domain import room",
            "from domain.room import (\n    Room,\n)",
            "def late():\n    from adapters.livekit import call",
            "import contract.twirp",
            'load("contract.room_gateway")',
            'resources.files("contract")',
            'run(["python", "-m", "entrypoints.main"])',
            'usage = "python -m contract.livekit_double --port 7880"',
            'usage = f"pytest --pyargs contract.rest --base-url {url}"',
            'pytest_plugins = ["contract.plugin"]',
            'entry_point = "entrypoints.main:main"',
        ],
    )
    def test_would_be_seen_to_name_one(self, source: str) -> None:
        assert bare_names(source.encode())

    def test_is_the_same_when_built_from_the_source_distribution(
        self, wheel: Path, tmp_path: Path
    ) -> None:
        builds = f"{sys.executable} -m hatchling build -t sdist -d {tmp_path}"
        subprocess.run(builds.split(), cwd=PROJECT, check=True, capture_output=True)
        [sdist] = tmp_path.glob("*.tar.gz")
        build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps"]
        isolated = ["--no-build-isolation", "--wheel-dir"]
        subprocess.run([*build, *isolated, tmp_path, sdist], check=True)
        [rebuilt] = tmp_path.glob("*.whl")
        assert rebuilt.read_bytes() == wheel.read_bytes()


class TestInstalledWheel:
    def test_serves(self, url: str) -> None:
        with urllib.request.urlopen(f"{url}/readyz") as answer:  # noqa: S310 - our own
            assert json.load(answer) == {"status": "READY"}

    @pytest.mark.parametrize(
        "path",
        ["docs", "docs/page.css", "docs/page.js", "docs/swagger-ui-bundle.js", "openapi.json"],
    )
    def test_shows_the_page(self, url: str, path: str) -> None:
        with urllib.request.urlopen(f"{url}/{path}") as answer:  # noqa: S310 - our own
            assert answer.read()

    def test_mutes(self, url: str) -> None:
        asked = {
            "room_name": "demo-room",
            "participant_identity": "alice",
            "track_sid": "TR_demo_mic",
            "muted": True,
        }
        request = urllib.request.Request(  # noqa: S310 - our own
            f"{url}/livekit/participant/mute",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer demo-secret-a"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own
            assert json.load(answer) == asked

    def test_tells_its_version(self, environment: Path, program: Path) -> None:
        done = run(program, environment / "livekit-mute", "--version")
        assert (done.stdout, done.stderr) == (f"{VERSION}\n", "")

    def test_is_used_by_a_program_with_packages_of_the_same_names(
        self, environment: Path, program: Path
    ) -> None:
        done = run(program, environment / "python", "program.py")
        assert (done.stdout, done.stderr) == ("True domain adapters.database\n", "")

    def test_holds_room_gateways_to_the_suite(self, environment: Path, program: Path) -> None:
        for ours, theirs in SUITE.items():
            path = program / theirs
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(as_installed((PROJECT / ours).read_text()))
        pytest_ = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
        done = run(program, environment / "python", *pytest_, "tests/test_room_gateway.py")
        assert re.search(r"\n[2-9]\d passed(, \d skipped)? in ", done.stdout), done.stdout

    def test_holds_servers_to_the_rest_suite(self, environment: Path, program: Path) -> None:
        python = environment / "python"
        double = (python, "-m", "livekit_mute.contract.livekit_double")
        command = (environment / "livekit-mute",)
        suite = ["--pyargs", "livekit_mute.contract.rest", "-p", "no:cacheprovider"]
        with running_servers(program, double_command=double, command=command) as servers:
            done = run(program, python, "-m", "pytest", *suite, *servers.options())
        kept = f"clauses: {len(all_clauses())} kept, 0 broken, 0 left out, 0 not run"
        assert kept in done.stdout, done.stdout

    def test_has_types(self, environment: Path, program: Path) -> None:
        mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull]
        python = ["--python-executable", str(environment / "python")]
        done = run(program, *mypy, *python, "program.py")
        assert done.stdout == "Success: no issues found in 1 source file\n"
