"""Workers as the operating system and their callers see them."""

import http.client
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.command import COMMAND, TIMEOUT_S, Run, Running
from tests.support.service import DEMO_REQUEST, MUTE

_ESTABLISHED, _LISTENING = "01", "0A"  # in /proc/net/tcp
SECRETS = '[{"id": "tenant-a", "secret": "%s"}]'


def workers_of(running: Running) -> list[int]:
    own = running.process.pid
    return sorted(map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split()))


def serve(
    start: Run, *, workers: int = 2, command: Sequence[str] = COMMAND, **variables: str
) -> Running:
    """Start the demo with workers that leave soon."""
    settings = {"LEAVE_DELAY_SECONDS": "0.2", **variables}
    arguments = ("--workers", str(workers), "--gateway", "in-memory")
    return start(*arguments, command=command, **settings)


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)
    try:
        yield connection
    finally:
        connection.close()


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def get_once(url: str, path: str = "/livez") -> tuple[int, str]:
    with connected(url) as connection:
        return get(connection, path)


def mute(url: str, token: str) -> int:
    """Have something muted on a connection of its own; return the status."""
    with connected(url) as connection:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", MUTE, json.dumps(DEMO_REQUEST), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


@contextmanager
def held(url: str, number: int) -> Iterator[list[http.client.HTTPConnection]]:
    """Keep connections open, which so are spread over all workers."""
    connections = [http.client.HTTPConnection(urlsplit(url).netloc) for _ in range(number)]
    try:
        for each in connections:
            assert get(each, "/livez")[0] == 200
        yield connections
    finally:
        for each in connections:
            each.close()


def connections_of(pid: int, url: str) -> int:
    """Return how many connections to the service a worker has."""
    return len(_sockets_of(pid, url, state=_ESTABLISHED))


def listens(pid: int, url: str) -> bool:
    """Return whether a process has the socket open that a URL's port is listened on with."""
    return bool(_sockets_of(pid, url, state=_LISTENING))


def _sockets_of(pid: int, url: str, *, state: str) -> set[str]:
    port = f":{urlsplit(url).port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    found = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(port) and line[3] == state}
    return found & set(_targets(Path(f"/proc/{pid}/fd")))


def _targets(folder: Path) -> Iterator[str]:
    for each in folder.iterdir():
        with suppress(FileNotFoundError):
            yield str(each.readlink())


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def events(running: Running, name: str) -> list[dict[str, object]]:
    return [each for each in running.events if each["event"] == name]


def metrics(running: Running) -> dict[str, float]:
    """Return all samples, by name and labels."""
    [listening] = events(running, "listening")
    url = str(listening["metrics_url"])
    lines = get_once(url, "/metrics")[1].splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}
