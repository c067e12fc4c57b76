"""A real LiveKit server as a process of the tests' own."""

import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import IO

from attrs import define, field

from tests.support.timeouts import scaled

_START_S = scaled(60.0)
_ATTEMPTS = 3
_POLL_S = 0.05


class ServerDidNotStartError(Exception):
    """A binary is not a LiveKit server, or does not start here."""


@define(kw_only=True)
class LiveKitServer:
    """A running server on loopback."""

    port: int
    api_key: str
    api_secret: str = field(repr=False)
    command: Sequence[str] = field(repr=False)
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End the server; its rooms are lost."""
        _kill(self.process)

    def start_again(self) -> None:
        """Start the server that was killed on its old ports, and wait until it answers."""
        self.process = _run(self.command, self.port)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep the server from answering; its port stays open."""
        self.process.send_signal(SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)  # until then it may still answer
        try:
            yield
        finally:
            self.process.send_signal(SIGCONT)


@contextmanager
def run_livekit_server(binary: Path, *, remote_unmute: bool) -> Iterator[LiveKitServer]:
    """Run a server while this is entered.

    Raises:
        ServerDidNotStartError: it ended, or did not answer within 20 s.
    """
    server = _start_on_free_ports(binary, remote_unmute=remote_unmute)
    try:
        yield server
    finally:
        _kill(server.process)


def _start_on_free_ports(binary: Path, *, remote_unmute: bool) -> LiveKitServer:
    """Start a server, again where somebody took a port between its choice and its use."""
    for _ in range(_ATTEMPTS):
        try:
            return _start(binary, remote_unmute=remote_unmute)
        except ServerDidNotStartError as error:
            if "address already in use" not in str(error):
                raise
    raise ServerDidNotStartError("no port stayed free")


def _start(binary: Path, *, remote_unmute: bool) -> LiveKitServer:
    port, tcp_port, udp_port = _free_ports(3)
    api_key, api_secret = "devkey", secrets.token_hex(32)
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
        "keys": {api_key: api_secret},
        "room": {"auto_create": True, "enable_remote_unmute": remote_unmute},
        "logging": {"level": "error"},
    }
    command = [str(binary), "--config-body", json.dumps(config)]
    return LiveKitServer(
        port=port,
        api_key=api_key,
        api_secret=api_secret,
        command=command,
        process=_run(command, port),
    )


def _run(command: Sequence[str], port: int) -> "subprocess.Popen[bytes]":
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_until_up(process, port, log)
        except BaseException:
            _kill(process)
            raise
    return process


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("", 0)) for _ in range(number)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_up(port):
            return
        time.sleep(_POLL_S)
    log.seek(0)
    raise ServerDidNotStartError(log.read().decode(errors="replace")[-2000:])


def _is_up(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
