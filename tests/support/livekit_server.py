"""A real LiveKit server as a process of the tests' own."""

import json
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import define, field
from typing_extensions import override

from tests.support.server_process import ServerProcess, free_ports, running

API_KEY = "devkey"


@define(kw_only=True)
class LiveKitServer(ServerProcess):
    """A LiveKit server on loopback. Where it is killed, its rooms are lost."""

    version: tuple[int, ...]
    api_key: str = API_KEY
    api_secret: str = field(repr=False)
    node_id: str = field(init=False, default="")
    """The node that is to host the rooms; empty for LiveKit's own choice."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @override
    def is_up(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def run_livekit_server(
    binary: Path, *, remote_unmute: bool, sections: Mapping[str, Any] | None = None
) -> Iterator[LiveKitServer]:
    """Run a single server while this is entered, with further sections of its configuration.

    Raises:
        ServerDidNotStartError: it ended, or did not answer within a minute.
    """

    def configure() -> LiveKitServer:
        port, secret = free_ports(1)[0], new_secret()
        command = command_of(binary, port, secret, remote_unmute, sections or {})
        return LiveKitServer(
            version=version_of(binary), port=port, api_secret=secret, command=command
        )

    with running(configure) as server:
        yield server


new_secret = partial(secrets.token_hex, 32)


@cache
def version_of(binary: Path) -> tuple[int, ...]:
    """Return the version that a LiveKit server's binary says it is, for instance 1, 13, 5."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)))


def command_of(
    binary: Path, port: int, api_secret: str, remote_unmute: bool, sections: Mapping[str, Any]
) -> list[str]:
    """Return the command of a server, with further sections of its configuration."""
    tcp_port, udp_port = free_ports(2)
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "node_ip": "127.0.0.1",
            "interfaces": {"includes": ["lo"]},
            "enable_loopback_candidate": True,
            "use_external_ip": False,
            "tcp_port": tcp_port,
            "udp_port": udp_port,
        },
        "keys": {API_KEY: api_secret},
        "room": {"auto_create": True, "enable_remote_unmute": remote_unmute},
        "logging": {"level": "error"},
        **sections,
    }
    return [str(binary), "--config-body", json.dumps(config)]
