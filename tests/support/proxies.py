"""Real nginx and Caddy in front of replicas, with the configurations of ``deploy/``."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from attrs import define
from typing_extensions import override

from tests.support.certificates import Authority
from tests.support.imports import PROJECT
from tests.support.nginx_server import nginx_command
from tests.support.server_process import ParentProcess, free_ports, running

NGINX_CONF = PROJECT / "deploy/nginx/livekit-mute.conf"
CADDYFILE = PROJECT / "deploy/caddy/Caddyfile"
PLACES = ("livekit-mute-1:3001", "livekit-mute-2:3001")
"""The replicas in both files."""


@define(kw_only=True)
class ProxyServer(ParentProcess):
    """A proxy that listens on loopback: with TLS on ``port``, and without on ``plain_port``."""

    plain_port: int
    folder: Path
    check: Sequence[str]
    """The command that validates the configuration."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate of who has signed the proxy's."""
        return self.folder / "ca.pem"

    @property
    def logs(self) -> Mapping[str, str]:
        """All that it has logged, by the name of the file."""
        return {path.name: path.read_text() for path in self.folder.glob("*.log")}

    @override
    def is_up(self) -> bool:
        try:
            for port in (self.port, self.plain_port):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    @override
    def open_log(self) -> IO[bytes]:
        return (self.folder / "output.log").open("w+b")


@contextmanager
def run_nginx(
    folder: Path, places: Sequence[str], changes: Mapping[str, str]
) -> Iterator[ProxyServer]:
    """Run nginx in front of replicas (hosts and ports), with further changes to its file."""

    def configure() -> ProxyServer:
        tls, plain = free_ports(2)
        listening = {
            "    listen [::]:443 ssl;\n": "",
            "    listen [::]:80;\n": "",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "https://$server_name$request_uri": f"https://$server_name:{tls}$request_uri",
            "/var/log/nginx/": f"{folder}/",
        }
        changed = {**listening, **_common(folder, places), **changes}
        _write(NGINX_CONF, folder, changed)
        command = nginx_command(f"include {folder}/livekit-mute.conf;", folder)
        return ProxyServer(
            port=tls, plain_port=plain, folder=folder, command=command, check=[*command, "-t"]
        )

    with running(configure) as server:
        yield server


@contextmanager
def run_caddy(
    folder: Path, places: Sequence[str], changes: Mapping[str, str]
) -> Iterator[ProxyServer]:
    """Run Caddy in front of replicas (hosts and ports), with further changes to its file."""

    def configure() -> ProxyServer:
        tls, plain, admin = free_ports(3)
        listening = {
            "redir @browser https://mute.example.com": f"redir @browser https://localhost:{tls}",
            "https://mute.example.com {": f"https://localhost:{tls} {{\n\tbind 127.0.0.1",
            "http:// {": f"http://:{plain} {{\n\tbind 127.0.0.1",
        }
        changed = {**listening, **_common(folder, places, name=False), **changes}
        file = _write(CADDYFILE, folder, changed)
        variables = [f"HOME={folder}", f"CADDY_ADMIN=127.0.0.1:{admin}"]
        caddy = ["env", "-u", "XDG_CONFIG_HOME", "-u", "XDG_DATA_HOME", *variables, "caddy"]
        options = ["--config", str(file), "--adapter", "caddyfile"]
        return ProxyServer(
            port=tls,
            plain_port=plain,
            folder=folder,
            command=[*caddy, "run", *options],
            check=[*caddy, "validate", *options],
        )

    with running(configure) as server:
        yield server


PROXIES = {"nginx": run_nginx, "caddy": run_caddy}


def _common(folder: Path, places: Sequence[str], *, name: bool = True) -> dict[str, str]:
    """Return the changes that both files need: replicas, the name, and a certificate."""
    certificate, key = _certificate(folder)
    changes = {
        **dict(zip(PLACES, places, strict=True)),
        "/etc/ssl/livekit-mute/fullchain.pem": str(certificate),
        "/etc/ssl/livekit-mute/privkey.pem": str(key),
    }
    return changes | ({"mute.example.com": "localhost"} if name else {})


def _certificate(folder: Path) -> tuple[Path, Path]:
    authority = Authority(folder)
    authority.file  # noqa: B018 - it makes the file
    authority.serve("localhost")
    pem = folder / "server.pem"
    pem.chmod(0o600)
    return pem, pem


def _write(source: Path, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write a configuration with all its occurrences of some texts changed."""
    text = source.read_text()
    for old, new in changes.items():
        assert old in text, f"{source.name} has no {old!r}"
        text = text.replace(old, new)
    path = folder / source.name
    path.write_text(text)
    return path
