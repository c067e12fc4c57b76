"""Replicas of the service, which are ended and started again."""

import random
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from tests.support.command import Running
from tests.support.timeouts import scaled

_TIMEOUT_S = scaled(30)


@define
class Replica:
    """The service on a port of its own, on which it can be started again."""

    port: int
    _serve: Callable[..., Running]
    running: Running = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start()

    @property
    def url(self) -> str:
        return self.running.url

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.running = self._serve("--port", str(self.port))

    def end(self, number: signal.Signals) -> None:
        """Send it a signal that ends it, and wait for its end."""
        self.running.process.send_signal(number)
        self.running.process.wait(_TIMEOUT_S)

    def kill(self) -> None:
        """End it at once."""
        self.end(signal.SIGKILL)


def lasting_ports() -> tuple[int, int]:
    """Return two free ports that no outgoing connection is given, also while nobody listens."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        first, second = random.sample(range(10_000, max(lowest, 20_000)), 2)
        with suppress(OSError):
            for port in (first, second):
                socket.create_server(("127.0.0.1", port)).close()
            return first, second
