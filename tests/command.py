"""The command as a process of its own, and what newcomers paste into a shell."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from attrs import frozen

from tests.document import Document
from tests.kept_secrets import hear
from tests.service import MUTE

COMMAND = str(Path(sys.executable).with_name("livekit-mute"))
PATIENCE_S = 20


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    hear("the command's output", done.stdout)
    hear("the command's standard error", done.stderr)
    return done


@frozen
class Running:
    process: subprocess.Popen[str]
    url: str
    log: Path

    def wait_for(self, event: str, *, after: int = 0) -> None:
        """Wait for an event in the log, one behind the first so many."""
        deadline = time.monotonic() + PATIENCE_S
        while event not in [each["event"] for each in self.events[after:]]:
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


class Run:
    """Starts the command and waits until it listens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, ulimit: str = "", **variables: str) -> Running:
        """Start it, under a limit in the words of the shell where one is given."""
        limited = ("sh", "-c", f'ulimit {ulimit}; exec "$0" "$@"') if ulimit else ()
        path = self._folder / f"log-{len(self.processes)}"
        with path.open("w") as log:
            process = subprocess.Popen(
                [*limited, COMMAND, "serve", "--port", "0", *arguments],
                env={"PATH": os.environ["PATH"], **variables},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return Running(process, _await_url(process, path), path)

    def end(self) -> None:
        """Stop what still runs; no secret may be in anything that was written."""
        for process in self.processes:
            process.kill()
            hear("the command's output", process.communicate()[0])
        for path in self._folder.glob("log-*"):
            with path.open("rb") as log:
                for line in log:
                    hear("the command's log", line)


def _await_url(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if "listening" in line and (url := re.search(r"http://[\w.:\[\]]+", line)):
                return url[0]
        time.sleep(0.02)
    raise AssertionError(f"it does not listen: {log.read_text()}")


def words_of_curl(line: str, folder: Path | None = None, **variables: str) -> list[str]:
    """Have a real shell take a line apart, with a curl that says what it was given."""
    say = 'curl() { for word in "$@"; do printf "%s\\n" "$word"; done; }'
    script = f"{say}\n{line}"
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


async def paste(line: str, folder: Path | None = None, **variables: str) -> tuple[int, Any]:
    """Do what curl does with a line of the kind that the demo prints."""
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
