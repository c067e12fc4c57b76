"""A log whose reader has gone, or does not read."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import islice
from typing import IO

import pytest
from attrs import frozen
from yarl import URL

from tests.entrypoints.test_main import wait_until_it_serves
from tests.support.command import COMMAND, TIMEOUT_S, environment
from tests.support.server_process import free_ports
from tests.support.service import MUTE
from tests.support.timeouts import wait_until

EVENTS = 1_000
"""More than a pipe holds."""
ENOUGH_BYTES = 1 << 15
"""Half of what a pipe holds, which is filled up to whole lines."""
REFUSED = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()


@frozen
class Piped:
    """The command, with a pipe to write its log into."""

    process: subprocess.Popen[str]
    log: IO[str]
    url: URL

    def get(self, path: str) -> int:
        connection = HTTPConnection(str(self.url.host), self.url.port, timeout=TIMEOUT_S)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status


def wait_until_full(pipe: IO[str]) -> None:
    """Wait until a pipe holds a lot, and no more comes."""
    before, now = 0, _unread(pipe)
    while now < ENOUGH_BYTES or now > before:
        time.sleep(0.2)
        before, now = now, _unread(pipe)


def _unread(pipe: IO[str]) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.fixture
def piped() -> Iterator[Piped]:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        env=environment(LOG_FORMAT="json", LOG_LEVEL="debug", LEAVE_DELAY_SECONDS="5"),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        events = (json.loads(line) for line in process.stderr)
        url = next(event["url"] for event in events if event["event"] == "listening")
        yield Piped(process, process.stderr, URL(url))
        process.kill()


def test_a_closed_log_does_not_end_the_service(piped: Piped) -> None:
    piped.log.close()
    assert [piped.get("/livez") for _ in range(3)] == [200, 200, 200]
    piped.process.send_signal(signal.SIGHUP)
    piped.process.send_signal(signal.SIGHUP)
    piped.process.send_signal(signal.SIGTERM)
    wait_until(lambda: piped.get("/readyz") == 503)
    assert piped.get("/livez") == 200
    piped.process.wait(TIMEOUT_S)


def test_a_blocked_log_does_not_prevent_the_second_signal(piped: Piped) -> None:
    request = f"GET /{'x' * 250} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection((piped.url.host, piped.url.port)) as client:
        client.sendall(500 * request)  # whose events fill the pipe
        wait_until_full(piped.log)
        while piped.process.poll() is None:  # two that a process has not seen yet are one
            piped.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert piped.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM


def test_a_pipe_that_was_left_non_blocking_loses_nothing() -> None:
    """Whoever has started the service may have left it so, and read slowly."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    variables = environment(AUDIT_LOG="stdout", LOG_LEVEL="error", AUTH_API_SECRET="first")
    with subprocess.Popen(
        [*COMMAND, "serve", "--gateway", "in-memory", "--port", str(port := free_ports(1)[0])],
        env=variables,
        stdout=writer,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(writer)
        wait_until_it_serves(port)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(EVENTS * REFUSED)
            time.sleep(0.5)
            with ThreadPoolExecutor() as pool, os.fdopen(reader, "rb") as read:
                written = pool.submit(read.read)
                answers = (line for line in client.makefile("rb") if b"HTTP/1.1 401" in line)
                assert len(list(islice(answers, EVENTS))) == EVENTS
                process.send_signal(signal.SIGTERM)
                assert written.result().count(b'"audit"') == EVENTS
