"""A Janus server on loopback for the tests."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from time import sleep

import aiohttp
from attrs import frozen
from janus_api import Janus

SECRET = "secret-of-a-janus-for-tests"
CONFIGURATION = {
    "janus.jcfg": 'general: { configs_folder = "$folder", admin_secret = "$secret" }',
    "janus.transport.http.jcfg": """
        general: { http = true, ip = "127.0.0.1", port = $api_port }
        admin: { admin_http = true, admin_ip = "127.0.0.1", admin_port = $admin_port }
    """,
    "janus.plugin.videoroom.jcfg": 'general: { admin_key = "$secret", string_ids = true }',
}


@frozen
class JanusServer:
    """A server that runs, with one secret for everything."""

    process_id: int
    api_port: int
    admin_port: int

    def reached_over(self, http: aiohttp.ClientSession) -> Janus:
        """Make what sends requests to it."""
        return Janus(
            http=http,
            api_url=f"http://127.0.0.1:{self.api_port}/janus",
            admin_url=f"http://127.0.0.1:{self.admin_port}/admin",
            admin_secret=SECRET,
        )


@contextmanager
def run_janus(program: str, folder: Path) -> Iterator[JanusServer]:
    """Run a server, with its configuration and its log in a folder, while this is entered."""
    api_port, admin_port = free_ports(2)
    for name, text in CONFIGURATION.items():
        configured = Template(text).substitute(
            folder=folder, secret=SECRET, api_port=api_port, admin_port=admin_port
        )
        (folder / name).write_text(configured)
    command = [program, "--configs-folder", str(folder), "--interface", "127.0.0.1"]
    with (folder / "janus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for port in (api_port, admin_port):
                wait_until_open(port, process)
            yield JanusServer(process.pid, api_port, admin_port)
        finally:
            process.kill()
            process.wait()


def free_ports(number: int) -> list[int]:
    """Find ports on which nothing listens."""
    with ExitStack() as taken:
        sockets = [
            taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)
        ]
        return [each.getsockname()[1] for each in sockets]


def wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server listens; pytest's timeout, if there is one, ends this."""
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except ConnectionRefusedError:
            sleep(0.05)
    raise RuntimeError(f"Janus ended with status {process.returncode}")
