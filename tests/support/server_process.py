"""Servers of others as processes of the tests' own, on loopback."""

import os
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from signal import SIGCONT, SIGSTOP
from typing import IO, TypeVar

from attrs import define, field
from typing_extensions import override

from tests.support.timeouts import scaled

_START_S = scaled(60.0)
_ATTEMPTS = 3
_POLL_S = 0.05


class ServerDidNotStartError(Exception):
    """A binary is not the server that it should be, or does not start here."""


@define(kw_only=True)
class ServerProcess(ABC):
    """A server on a port of its own, which the same command starts again."""

    port: int
    command: Sequence[str] = field(repr=False)
    process: "subprocess.Popen[bytes] | None" = field(init=False, default=None)

    @abstractmethod
    def is_up(self) -> bool:
        """Return whether it answers by now."""

    def start(self) -> None:
        """Start it, again where it was killed, and wait until it answers.

        Raises:
            ServerDidNotStartError: it ended, or did not answer within a minute.
        """
        with self.open_log() as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
            try:
                self._wait_until_up(self.process, log)
            except BaseException:
                self.kill()
                raise

    def open_log(self) -> IO[bytes]:
        """Open what its output is written to."""
        return tempfile.TemporaryFile()

    def kill(self) -> None:
        """End it at once; what it has in memory is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Keep it from running while this is entered; its port stays open."""
        assert self.process is not None
        self.process.send_signal(SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)  # until then it may still answer
        try:
            yield
        finally:
            self.process.send_signal(SIGCONT)

    def _wait_until_up(self, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and process.poll() is None:
            if self.is_up():
                return
            time.sleep(_POLL_S)
        log.seek(0)
        raise ServerDidNotStartError(log.read().decode(errors="replace")[-2000:])


@define(kw_only=True)
class ParentProcess(ServerProcess):
    """A server that ends its children if it is asked to end; they would outlive SIGKILL."""

    @override
    def kill(self) -> None:
        """End it and its children."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


S = TypeVar("S", bound=ServerProcess)


@contextmanager
def running(configure: Callable[[], S]) -> Iterator[S]:
    """Run a server while this is entered, reconfigured where another process took its port."""
    for _ in range(_ATTEMPTS):
        server = configure()
        try:
            server.start()
            break
        except ServerDidNotStartError as error:
            if "address already in use" not in str(error).lower():
                raise
    else:
        raise ServerDidNotStartError("no port stayed free")
    try:
        yield server
    finally:
        server.kill()


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on, nor will until the caller does.

    They are below those that the system chooses from for sockets without a port and for outgoing
    connections, and no two processes of one run of the tests get the same.
    """
    free = filter(_is_free, _PORTS)
    return [next(free) for _ in range(number)]


def _ports() -> Iterator[int]:
    """Yield ports over and over; tests that run in parallel have their own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    own = range(20_000 + int(worker) % _MAX_WORKERS, 32_768, _MAX_WORKERS)
    ports = cycle(own)
    yield from islice(ports, os.getpid() % len(own), None)  # other runs may be under way


_MAX_WORKERS = 64
_PORTS = _ports()


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True
