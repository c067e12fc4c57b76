"""The LiveKit double as a process, and its control interface."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from attrs import frozen

from tests.support.command import TIMEOUT_S, environment
from tests.support.imports import PROJECT

COMMAND = (sys.executable, "-m", "contract.livekit_double")
SECRET = "a-secret-of-at-least-32-characters"
ALICE = {"room": "lobby", "identity": "alice"}


@frozen
class Program:
    process: "subprocess.Popen[str]"
    url: str

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return the exit status, and what was printed after the URL."""
        out, err = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, out, err


@contextmanager
def program(
    *options: str, command: Sequence[str | Path] = COMMAND, folder: Path = PROJECT
) -> Iterator[Program]:
    with subprocess.Popen(
        [*command, "--port=0", *options],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield Program(process, process.stdout.readline().strip())
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            finally:
                process.kill()


async def post(url: str, name: str, **fields: Any) -> tuple[int, Any]:
    async with aiohttp.request("POST", f"{url}/double/{name}", json=fields) as answer:
        return answer.status, None if answer.status == 204 else await answer.json()
