"""Programs in processes of their own, and their CPU time and memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks.callgrind import Callgrind

PROJECT = Path(__file__).parents[1]
_START_S = 180.0  # for a hundred participants to join a real server
_ANSWER_S = 10.0
_STOP_S = 15.0
_POLL_S = 0.005
_MICRO = 1_000_000
_MIB = 1 << 20


class ProgramFailedError(Exception):
    """A program did not start or failed; the text is its output."""


@frozen(kw_only=True)
class Running:
    """A program that listens."""

    process: "subprocess.Popen[bytes]" = field(repr=False)
    ready: Mapping[str, Any]
    """The line of JSON that it printed once it listened."""
    callgrind: Callgrind | None
    """Counts its instructions; its times mean nothing then."""

    @property
    def url(self) -> str:
        """The URL on which it listens."""
        return str(self.ready["url"])

    @property
    def cpu_us(self) -> float:
        """CPU time of all its threads so far, user and system."""
        clock = ~self.process.pid << 3 | 2  # clock_getcpuclockid(3) on Linux
        return _MICRO * time.clock_gettime(clock)

    def counters(self) -> Mapping[str, float]:
        """Read what it has used so far: its CPU time, or its instructions under callgrind."""
        if self.callgrind:
            return {"instructions": self.callgrind.instructions(self.process.pid)}
        return {"cpu_us": self.cpu_us}

    @property
    def resident_mib(self) -> float:
        """Its resident memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / _MIB

    def get(self, path: str) -> bytes:
        """Send a GET request that must be answered with 200."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise ProgramFailedError(f"{path} was answered {answer.status}")
            return answer.read()
        finally:
            connection.close()


@frozen
class StartedByUser:
    """A program that the user has started; nothing is known about it but its URL."""

    url: str

    def counters(self) -> Mapping[str, float]:
        """Read nothing."""
        return {}


def run(arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """Run this environment's Python until it exits; return its output.

    Raises:
        ProgramFailedError: its exit status is not 0.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **variables},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ProgramFailedError(f"{done.args!r} failed: {done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def running(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    folder: Path,
    *,
    counted: bool = False,
) -> Iterator[Running]:
    """Run a program of this environment, with its log in a file; wait until it listens.

    With ``counted`` it runs under callgrind.

    Raises:
        ProgramFailedError: it exited, or printed no URL in time.
    """
    handle, log = mkstemp(dir=folder, suffix=".log")
    callgrind = Callgrind(Path(mkdtemp(dir=folder))) if counted else None
    with os.fdopen(handle) as output:
        process = subprocess.Popen(
            [*(callgrind.command if callgrind else ()), sys.executable, "-m", *arguments],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        ready = _wait_until_it_listens(process, Path(log))
        yield Running(process=process, ready=ready, callgrind=callgrind)
    finally:
        _stop(process)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", log: Path) -> Mapping[str, Any]:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        whole_lines = log.read_text().rpartition("\n")[0].splitlines()
        for line in whole_lines:
            if line.startswith("{") and "url" in (ready := json.loads(line)):
                return dict(ready)
        time.sleep(_POLL_S)
    raise ProgramFailedError(f"{process.args!r} does not listen: {log.read_text()[-2000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
