"""A real Redis server as a process of the tests' own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define
from typing_extensions import override

from tests.support.server_process import ServerProcess, free_ports, running
from tests.support.timeouts import scaled


@define(kw_only=True)
class RedisServer(ServerProcess):
    """A Redis server on loopback: killed and started again, it is empty unless it has a folder."""

    password: str = ""

    @property
    def url(self) -> str:
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}127.0.0.1:{self.port}"

    @override
    def is_up(self) -> bool:
        try:
            return "PONG" in self.ask("PING")
        except OSError:
            return False

    def ask(self, command: str) -> str:
        """Send a command and return the reply as it is on the wire."""
        log_in = f"AUTH {self.password}\r\n" if self.password else ""
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, timeout=scaled(30)) as connection:
            connection.sendall(f"{log_in}{command}\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as reply:
                return reply.read().decode(errors="replace")


@contextmanager
def run_redis(
    binary: Path, *, password: str = "", folder: Path | None = None
) -> Iterator[RedisServer]:
    """Run a server while this is entered, which writes what it knows into a folder, if any.

    Raises:
        ServerDidNotStartError: it ended, or did not answer within a minute.
    """

    def configure() -> RedisServer:
        (port,) = free_ports(1)
        options: dict[str, object] = {
            "port": port,
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
        }
        if folder:
            options |= {"dir": folder, "appendonly": "yes", "appendfsync": "always"}
        if password:
            options["requirepass"] = password
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        return RedisServer(port=port, command=[str(binary), *words], password=password)

    with running(configure) as server:
        yield server
