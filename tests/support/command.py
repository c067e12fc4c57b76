"""The command as a separate process, and the curl commands that the demo prints."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from attrs import frozen

from tests.support.imports import PROJECT
from tests.support.openapi_document import Document
from tests.support.secret_scan import scan_for_secrets
from tests.support.service import MUTE
from tests.support.timeouts import scaled

COMMAND = (sys.executable, "-m", "entrypoints.main")
TIMEOUT_S = scaled(60)


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with these variables, and what COMMAND and its coverage need."""
    kept = ("PATH", "COVERAGE_PROCESS_CONFIG")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return inherited | {"PYTHONPATH": str(PROJECT)} | variables


def run(
    *arguments: str, command: Sequence[str | Path] = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*command, *arguments],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    scan_for_secrets("the command's output", done.stdout)
    scan_for_secrets("the command's standard error", done.stderr)
    return done


@frozen
class Running:
    process: subprocess.Popen[str]
    url: str
    log: Path

    def wait_for(self, event: str, *, after: int = 0) -> None:
        """Wait for an event in the log, skipping the first ``after`` events."""
        deadline = time.monotonic() + TIMEOUT_S
        while event not in [each["event"] for each in self.events[after:]]:
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the service, whose process may be the child of ``unshare``."""
        own = self.process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        os.kill(int(children[0]) if children else own, number)

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in complete_lines(self.log)]


def complete_lines(log: Path) -> list[str]:
    """Read the lines of a log that are complete; the process may be writing the next one."""
    return log.read_text().rpartition("\n")[0].splitlines()


class Run:
    """Starts the command and waits until it listens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def __call__(
        self,
        *arguments: str,
        ulimit: str = "",
        command: Sequence[str | Path] = COMMAND,
        **variables: str,
    ) -> Running:
        """Start it, with the resource limit that the arguments of the shell's ulimit set."""
        limited = ("sh", "-c", f'ulimit {ulimit}; exec "$0" "$@"') if ulimit else ()
        path = self._folder / f"log-{len(self.processes)}"
        with path.open("w") as log:
            process = subprocess.Popen(
                [*limited, *command, "serve", "--port", "0", *arguments],
                cwd=PROJECT,
                env=environment(**variables),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return Running(process, _await_url(process, path), path)

    def end(self) -> None:
        """Kill what still runs, and scan all that was written for secrets."""
        for process in self.processes:
            process.kill()
            scan_for_secrets("the command's output", process.communicate()[0])
        for path in self._folder.glob("log-*"):
            with path.open("rb") as log:
                for line in log:
                    scan_for_secrets("the command's log", line)


def _await_url(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in complete_lines(log):
            if "listening" in line and (url := re.search(r"http://[\w.:\[\]]+", line)):
                return url[0]
        time.sleep(0.02)
    raise AssertionError(f"the command does not listen: {log.read_text()}")


def words_of_curl(line: str, folder: Path | None = None, **variables: str) -> list[str]:
    """Split a line as a real shell does, with a curl that prints its arguments."""
    print_arguments = 'curl() { for word in "$@"; do printf "%s\\n" "$word"; done; }'
    script = f"{print_arguments}\n{line}"
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


async def paste(line: str, folder: Path | None = None, **variables: str) -> tuple[int, Any]:
    """Send the request of a curl command like those that the demo prints."""
    url, *options = words_of_curl(line, folder, **variables)
    headers, data = {}, ""
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            assert option == "-d"
            data = value
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, headers=headers, data=data) as answer,
    ):
        body = await answer.read()
        Document().check(
            method="POST", path=MUTE, status=answer.status, headers=answer.headers, body=body
        )
        return answer.status, json.loads(body)
