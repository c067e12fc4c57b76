"""The image of deploy/Dockerfile: built, and run as the container would."""

import json
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from entrypoints.version import VERSION
from tests.deploy.built_image import DOCKERFILE, BuiltImage, built_image
from tests.deploy.machine import boot, machine
from tests.support.command import Run, paste
from tests.support.imports import PROJECT
from tests.support.server_process import free_ports

HADOLINT = Path(sys.executable).with_name("hadolint")
CONTEXT = ("adapters", "application", "contract", "deploy", "domain", "entrypoints")
REQUEST = {
    "room_name": "demo-room",
    "participant_identity": "alice",
    "track_sid": "TR_demo_mic",
    "muted": True,
}


def project() -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return found


class TestDockerfile:
    def test_has_nothing_that_hadolint_warns_of(self) -> None:
        done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltImage]:
    with built_image(tmp_path_factory.mktemp("image")) as built:
        yield built


@pytest.mark.image
@pytest.mark.timeout(1200)
class TestImage:
    def test_serves_as_an_unprivileged_user(self, image: BuiltImage) -> None:
        config = image.config
        assert config["User"] == "65532:65532"
        assert (config["Entrypoint"], config["Cmd"]) == (["livekit-mute"], ["serve"])
        assert config["Healthcheck"]["Test"][0] == "CMD"
        assert {"HOST=0.0.0.0", "PORT=3001"} <= {*config["Env"]}
        assert config["ExposedPorts"] == {"3001/tcp": {}}

    def test_tells_what_it_is(self, image: BuiltImage) -> None:
        labels = image.config["Labels"]
        found = {
            name.rpartition(".")[2]: text for name, text in labels.items() if "opencont" in name
        }
        about = project()
        assert found == {
            "title": about["name"],
            "description": about["description"],
            "licenses": about["license"],
            "source": about["urls"]["Source"],  # type: ignore[index]
        }

    def test_holds_the_package_as_the_wheel_does(self, image: BuiltImage, wheel: Path) -> None:
        [site] = image.root.glob("venv/lib/python3.*/site-packages")
        found = {
            str(path.relative_to(site))
            for path in site.glob("livekit_mute/**/*")
            if path.is_file() and path.suffix != ".pyc"
        }
        names = {name for name in ZipFile(wheel).namelist() if name.startswith("livekit_mute/")}
        assert found == names

    def test_has_the_extras(self, image: BuiltImage) -> None:
        done = image.run("python3", "-c", "import limits, opentelemetry.sdk.trace, redis")
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("module", ["pip", "ensurepip", "setuptools", "tests", "pytest"])
    @pytest.mark.parametrize("python", ["/usr/local/bin/python3", "/venv/bin/python3"])
    def test_has_no_tests_and_nothing_that_installs(
        self, image: BuiltImage, python: str, module: str
    ) -> None:
        done = image.run(python, "-c", f"import {module}")
        assert f"No module named '{module}'" in done.stderr

    def test_has_no_file_that_its_user_could_write(self, image: BuiltImage) -> None:
        places = "-path /proc -o -path /dev -o -path /tmp -o -path /var/tmp -o -path /run/lock"
        user = f"--userspec={image.config['User']}"
        writable = ("find", "/", "(", *places.split(), ")", "-prune", "-o", "-writable")
        done = subprocess.run(
            ["chroot", user, image.root, *writable, "!", "-type", "l", "-print"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""

    def test_says_its_version(self, image: BuiltImage) -> None:
        done = image.run(*image.config["Entrypoint"], "--version")
        assert VERSION in done.stdout
        assert (done.returncode, done.stderr) == (0, "")

    async def test_mutes_and_is_healthy_until_it_is_stopped(
        self, image: BuiltImage, start: Run
    ) -> None:
        port = str(free_ports(1)[0])
        address = {"HOST": "127.0.0.1", "PORT": port}
        command = image.command(*image.config["Entrypoint"], **address)
        health_check = image.config["Healthcheck"]["Test"][1:]
        running = start("--port", port, "--gateway", "in-memory", command=command)

        secret = "Authorization: Bearer demo-secret-a"
        body = f"curl {running.url}/livekit/participant/mute -H '{secret}'"
        body += f" -H 'Content-Type: application/json' -d '{json.dumps(REQUEST)}'"
        assert await paste(body) == (200, REQUEST)
        assert image.run(*health_check, **address).returncode == 0

        running.send(signal.SIGTERM)
        assert running.process.wait() == 0
        assert image.run(*health_check, **address).returncode == 1

    def test_has_our_code_in_a_layer_of_its_own(self, image: BuiltImage, tmp_path: Path) -> None:
        """So a host that has an older image fetches the last layer only."""
        for name in CONTEXT:
            shutil.copytree(PROJECT / name, tmp_path / name)
        for path in PROJECT.iterdir():
            if path.is_file():
                shutil.copy(path, tmp_path)
        module = tmp_path / "domain/room.py"
        module.write_text(f"{module.read_text()}# changed\n")
        before = image.builder.layers()
        image.builder.build(tmp_path)
        after = image.builder.layers()
        assert (after[:-1], after[-1] != before[-1]) == (before[:-1], True)


@pytest.fixture(scope="module")
def found(image: BuiltImage) -> dict[str, Any]:
    """What becomes of the units of deploy/systemd in a machine that has the image's files."""
    with machine(image) as root:
        return boot(root)


@pytest.mark.image
@pytest.mark.timeout(1200)
class TestUnits:
    def test_start_and_the_service_mutes(self, found: dict[str, Any]) -> None:
        assert found["starts"] == ["", ""]
        assert found["answers"] == [REQUEST, REQUEST], found["journal"]

    def test_give_it_a_user_that_writes_the_audit_trail(self, found: dict[str, Any]) -> None:
        assert int(found["user"]) > 60000
        assert found["audited"] == [1, 1]

    def test_reload_it(self, found: dict[str, Any]) -> None:
        assert (found["reload"], found["reloaded"]) == ("", True), found["journal"]

    def test_stop_it_gracefully(self, found: dict[str, Any]) -> None:
        assert found["stop"] == ""
        assert found["stopped"] == {
            "ActiveState": "inactive",
            "Result": "success",
            "ExecMainStatus": "0",
        }

    def test_do_not_start_it_again_with_wrong_settings(self, found: dict[str, Any]) -> None:
        assert found["wrong"] == {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"}
