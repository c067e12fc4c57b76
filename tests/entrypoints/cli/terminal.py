"""A terminal for a process: a pseudo-terminal, and what a person sees on it."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import define, field

from tests.support.command import TIMEOUT_S, environment


@define
class Terminal:
    """What the process wrote to its terminal, and the process."""

    _descriptor: int
    process: subprocess.Popen[bytes]
    written: str = field(init=False, default="")

    def read_until(self, text: str) -> None:
        """Read until a text has been written."""
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.written:
            assert time.monotonic() < deadline, self.written
            self._read()

    def read_all(self) -> int:
        """Read until the process has ended, and return its exit status."""
        while self._read():
            pass
        return self.process.wait(TIMEOUT_S)

    @property
    def screen(self) -> list[str]:
        """The lines on the screen, where a carriage return goes back to a line's begin."""
        return [_overwritten(line.split("\r")) for line in self.written.split("\r\n")]

    def _read(self) -> bool:
        try:
            part = os.read(self._descriptor, 4096)
        except OSError:  # Linux's way to say that the process has closed it
            return False
        self.written += part.decode()
        return True


def _overwritten(parts: Sequence[str]) -> str:
    shown = ""
    for part in parts:
        shown = part + shown[len(part) :]
    return shown.rstrip(" ")


@contextmanager
def terminal(
    *command: str, variables: Mapping[str, str], stdout: int | None = None
) -> Iterator[Terminal]:
    """Start a process on a terminal, apart from its standard output where that is given."""
    ours, its = os.openpty()
    try:
        process = subprocess.Popen(
            command,
            env=environment(**variables),
            stdin=its,
            stdout=its if stdout is None else stdout,
            stderr=its,
        )
        os.close(its)
        try:
            yield Terminal(ours, process)
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(ours)
