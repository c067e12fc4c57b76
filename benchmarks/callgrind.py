"""The instructions that a program executes in user space, counted by valgrind's callgrind.

Unlike times, they stay the same on a busy machine. A program runs fifty times slower meanwhile.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

_TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)
_CONTROL_S = 60.0


class CannotCountError(Exception):
    """Valgrind is missing, or did not write down what it counted; the text says so."""


def check_installed() -> None:
    """Check that valgrind can be run.

    Raises:
        CannotCountError: it is missing.
    """
    missing = [each for each in ("valgrind", "callgrind_control") if not shutil.which(each)]
    if missing:
        raise CannotCountError(
            f"{' and '.join(missing)} not found on PATH: install valgrind to count instructions"
        )


@frozen
class Callgrind:
    """Counts the instructions of one process, with its files in a folder of its own."""

    _folder: Path

    @property
    def command(self) -> Sequence[str]:
        """The words before the command of the program; counting is off at first."""
        return (
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            f"--callgrind-out-file={self._folder / 'out'}",
            self._prefix,
        )

    def instructions(self, pid: int) -> int:
        """Return the number of instructions since the first reading, which starts the counting.

        Raises:
            CannotCountError: the process does not run under callgrind, or gave no answer.
        """
        self._control("--instr=on", pid)
        before = len(self._dumps)
        said = self._control("--dump", pid)
        if len(self._dumps) == before:
            raise CannotCountError(f"no figures from callgrind: {said}")
        return sum(int(*_TOTALS.findall(each.read_text())) for each in self._dumps)

    @property
    def _prefix(self) -> str:
        return f"--vgdb-prefix={self._folder / 'vgdb'}"

    @property
    def _dumps(self) -> Sequence[Path]:
        return list(self._folder.glob("out.*"))

    def _control(self, order: str, pid: int) -> str:
        """Give an order; the exit status does not say whether it was followed.

        Valgrind names its pipe after HOST and USER, so both sides need the same environment.
        """
        command = ["callgrind_control", self._prefix, order, str(pid)]
        try:
            done = subprocess.run(
                command,
                env={"PATH": os.environ["PATH"]},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_CONTROL_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotCountError(f"no answer from callgrind to {order}") from error
        return done.stdout
