"""deploy/compose.yaml: what Compose, LiveKit, Redis and the service say of it; no containers."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.settings.settings import Settings, load_settings
from tests.entrypoints.settings.test_variables import declared_settings
from tests.support.command import run
from tests.support.imports import PROJECT
from tests.support.livekit_server import LiveKitServer, version_of
from tests.support.redis_server import RedisServer
from tests.support.server_process import free_ports, running

"""What `docker compose` reads files with."""
DEPLOY = PROJECT / "deploy"
FILE: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: Mapping[str, Mapping[str, Any]] = FILE["services"]
REPLICAS = {name: each for name, each in SERVICES.items() if each["image"] == "livekit-mute"}
[VARIABLES] = {tuple(each["environment"].items()) for each in REPLICAS.values()}


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A copy of the folder, with secrets."""
    folder = tmp_path / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("secrets"))
    make_secrets(folder)
    return folder


def make_secrets(folder: Path, **variables: str) -> None:
    command = ["sh", f"{folder}/make-secrets.sh"]
    subprocess.run(command, check=True, env={**os.environ, **variables})


def variables_of(folder: Path) -> dict[str, str]:
    """Return the variables of a replica, with the secrets where they are outside of it."""
    secrets = f"{folder}/secrets/"
    return {name: text.replace("/run/secrets/", secrets) for name, text in VARIABLES}


def settings_of(folder: Path) -> Settings:
    return load_settings(variables_of(folder))


class TestCompose:
    @pytest.mark.compose
    def test_is_read_by_compose(self, deploy: Path) -> None:
        done = subprocess.run(
            ["compose-go", "-format", "json", "compose.yaml"],
            cwd=deploy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        model = yaml.safe_load(done.stdout)
        assert model["services"].keys() == SERVICES.keys()
        assert model["services"]["livekit"]["command"][-2:] == ["--node-ip", "127.0.0.1"]

    def test_lets_no_container_do_more_than_it_has_to(self) -> None:
        hardened = {
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "restart": "unless-stopped",
        }
        wrong = {name for name, each in SERVICES.items() if not hardened.items() <= each.items()}
        assert wrong == set()
        without_check = {name for name, each in SERVICES.items() if "healthcheck" not in each}
        assert without_check == {*REPLICAS}, "the image of the replicas has its own"

    def test_names_versions(self) -> None:
        tags = {name: each["image"].partition(":")[2] for name, each in SERVICES.items()}
        assert {name for name, tag in tags.items() if not re.match(r"v?\d", tag)} == {*REPLICAS}
        tested = re.search(r"LIVEKIT_VERSIONS \?= (\S+)", (PROJECT / "Makefile").read_text())
        assert tested
        assert tags["livekit"] == f"v{tested[1]}"

    def test_mounts_files_that_exist(self, deploy: Path) -> None:
        volumes = [
            one.split(":")[0] for each in SERVICES.values() for one in each.get("volumes", [])
        ]
        files = [one for one in volumes if one.startswith("./")]
        files += [one["file"] for one in FILE["secrets"].values()]
        files += [one for each in SERVICES.values() for one in each.get("env_file", [])]
        assert [one for one in files if not (deploy / one).is_file()] == []

    def test_has_the_replicas_that_the_proxy_asks(self) -> None:
        proxy = (DEPLOY / "nginx/livekit-mute.conf").read_text()
        assert {*re.findall(r"^ +server ([\w.-]+):3001", proxy, re.MULTILINE)} == {*REPLICAS}
        assert {*SERVICES["nginx"]["depends_on"]} == {*REPLICAS}
        files = [one["target"] for one in SERVICES["nginx"]["secrets"]]
        assert {*re.findall(r"^ +ssl_certificate(?:_key)? +(\S+);", proxy, re.MULTILINE)} == {
            *files
        }


class TestLiveKit:
    def test_may_unmute_and_forgets_no_room(self) -> None:
        config = yaml.safe_load((DEPLOY / "livekit.yaml").read_text())
        assert config["room"]["enable_remote_unmute"] is True
        assert config["redis"]["address"] == "redis:6379"
        assert SERVICES["redis"]["command"][-2:] == ["--appendonly", "yes"]


class TestReplicas:
    def test_have_settings_that_are_known(self) -> None:
        known = {name for setting in declared_settings() for name in setting.names}
        assert {name for name, _ in VARIABLES} - known == set()

    def test_have_settings_without_problems(self, deploy: Path) -> None:
        settings = settings_of(deploy)
        assert settings.warnings == ()
        assert sorted({*settings.auth.api_secrets.tenants.values()}) == ["tenant-a", "tenant-b"]

    def test_trust_the_proxy_alone(self, deploy: Path) -> None:
        [trusted] = settings_of(deploy).proxies.trusted
        [config] = FILE["networks"]["proxied"]["ipam"]["config"]
        assert str(trusted) == config["subnet"]
        on_it = {name for name, each in SERVICES.items() if "proxied" in each["networks"]}
        assert on_it == {*REPLICAS, "nginx"}

    def test_share_an_image_that_one_of_them_builds(self) -> None:
        """Two builds at a time of one name fail in Docker's containerd store: already exists."""
        [builder] = [each for each in REPLICAS.values() if "build" in each]
        [other] = [each for each in REPLICAS.values() if each is not builder]
        assert other["pull_policy"] == "never"

    def test_keep_their_addresses_when_they_are_replaced(self) -> None:
        """Because nginx resolves their names at its start only."""
        [config] = FILE["networks"]["proxied"]["ipam"]["config"]
        subnet, others = ip_network(config["subnet"]), ip_network(config["ip_range"])
        addresses = {
            ip_address(each["networks"]["proxied"]["ipv4_address"]) for each in REPLICAS.values()
        }
        assert len(addresses) == len(REPLICAS)
        assert all(each in subnet and each not in others for each in addresses)

    def test_have_time_to_finish(self, deploy: Path) -> None:
        limits = settings_of(deploy).limits
        needed_s = limits.leave_delay_s + limits.drain_timeout_s + 5
        granted = {each["stop_grace_period"] for each in REPLICAS.values()}
        assert all(float(text.removesuffix("s")) > needed_s for text in granted)


class TestSecrets:
    def test_are_readable_in_containers_and_by_nobody_else(self, deploy: Path) -> None:
        secrets = deploy / "secrets"
        assert secrets.stat().st_mode & 0o777 == 0o700
        mounted = [deploy / one["file"] for one in FILE["secrets"].values()]
        assert {each.stat().st_mode & 0o777 for each in mounted} == {0o644}

    def test_stay_once_they_are_made(self, deploy: Path) -> None:
        before = {each: each.read_bytes() for each in (deploy / "secrets").iterdir()}
        make_secrets(deploy)
        assert {each: each.read_bytes() for each in (deploy / "secrets").iterdir()} == before

    @pytest.mark.parametrize(
        ("missing", "kept"),
        [
            ("privkey.pem", "fullchain.pem"),
            ("livekit-server.env", "livekit-api-secret"),
        ],
    )
    def test_are_not_overwritten_if_one_of_a_pair_is_missing(
        self, deploy: Path, missing: str, kept: str
    ) -> None:
        before = (deploy / "secrets" / kept).read_bytes()
        (deploy / "secrets" / missing).unlink()
        with pytest.raises(subprocess.CalledProcessError):
            make_secrets(deploy)
        assert (deploy / "secrets" / kept).read_bytes() == before

    def test_are_not_empty_if_they_cannot_be_made(self, deploy: Path, tmp_path: Path) -> None:
        (tmp_path / "openssl").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "openssl").chmod(0o755)
        (deploy / "secrets/api-secrets.json").unlink()
        with pytest.raises(subprocess.CalledProcessError):
            make_secrets(deploy, PATH=f"{tmp_path}:{os.environ['PATH']}")
        assert not (deploy / "secrets/api-secrets.json").exists()

    def test_are_in_a_folder_that_is_closed_whoever_has_made_it(self, tmp_path: Path) -> None:
        secrets = tmp_path / "secrets"
        secrets.mkdir(mode=0o755)
        shutil.copy(DEPLOY / "make-secrets.sh", tmp_path)
        make_secrets(tmp_path)
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
        assert stat.S_IMODE((secrets / "livekit-server.env").stat().st_mode) == 0o600

    def test_are_kept_out_of_the_repository(self) -> None:
        ignored = ["git", "check-ignore", "deploy/secrets/privkey.pem"]
        assert subprocess.run(ignored, cwd=PROJECT, check=False, stdout=-3).returncode == 0


@contextmanager
def livekit_of(folder: Path, binary: Path, redis: RedisServer) -> Iterator[LiveKitServer]:
    """Run LiveKit with the folder's configuration, but for addresses and ports."""
    config = yaml.safe_load((folder / "livekit.yaml").read_text())

    def configure() -> LiveKitServer:
        port, tcp_port, udp_port = free_ports(3)
        config.update(port=port, bind_addresses=["127.0.0.1"])
        config["rtc"] |= {"tcp_port": tcp_port, "udp_port": udp_port}
        config["redis"]["address"] = f"127.0.0.1:{redis.port}"
        path = folder / "livekit-on-loopback.yaml"
        path.write_text(yaml.safe_dump(config))
        keys = (folder / "secrets/livekit-server.env").read_text().strip()
        command = ["env", keys, str(binary), "--config", str(path), "--node-ip", "127.0.0.1"]
        return LiveKitServer(
            version=version_of(binary), port=port, api_secret="in the file", command=command
        )

    with running(configure) as server:
        yield server


@pytest.mark.livekit_server
@pytest.mark.redis
class TestTogether:
    def test_can_be_used_by_the_replicas(
        self, deploy: Path, redis_server: RedisServer, pytestconfig: pytest.Config
    ) -> None:
        binary = pytestconfig.getoption("--livekit-server")
        with livekit_of(deploy, binary, redis_server) as livekit:
            here = {"LIVEKIT_URL": livekit.url, "RATE_LIMIT_STORAGE_URL": redis_server.url}
            done = run("check", **variables_of(deploy) | here)
        assert (done.returncode, done.stderr) == (0, "")
        verdicts = dict(re.findall(r"^(ok|warning|FAILED|-) +(.+?)  ", done.stdout, re.MULTILINE))
        assert not {"warning", "FAILED"} & verdicts.keys(), done.stdout
        assert "ok       livekit key" in done.stdout
        assert "ok       redis" in done.stdout
