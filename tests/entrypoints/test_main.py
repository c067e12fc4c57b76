"""The command as a process of its own, as operators and newcomers use it."""

import asyncio
import json
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import pytest
from yarl import URL

from entrypoints.version import VERSION
from tests.support.command import COMMAND, TIMEOUT_S, Run, environment, paste, run
from tests.support.imports import PROJECT
from tests.support.server_process import free_ports
from tests.support.service import DEMO_REQUEST, MUTE


def powerset(*elements: str) -> Sequence[Sequence[str]]:
    return [each for size in range(len(elements) + 1) for each in combinations(elements, size)]


def wait_until_it_serves(port: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/livez"):
            return
        time.sleep(0.02)
    raise AssertionError("the command does not serve")


LOOP_ERROR = """
import asyncio, os, signal
from entrypoints.serve import serve
from entrypoints.settings.settings import load_settings


async def main():
    serving = asyncio.create_task(serve(load_settings({"PORT": "0"}), load_settings))
    while signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_exception_handler({"message": "arranged"})
    os.kill(os.getpid(), signal.SIGTERM)
    await serving


asyncio.run(main())
"""

BUG = """
import sys
from entrypoints.command import serve
sys.exit(serve.callback(host=None, port="0", workers=None, gateway="no such gateway")())
"""

BLOCKED_RELOAD = """
import os, sys, threading, time
from entrypoints.main import main


def block(event, arguments):
    \"\"\"As a file of a network's file system may.\"\"\"
    in_thread = threading.current_thread() is not threading.main_thread()
    if in_thread and event == "open" and arguments[0] == os.environ["AUTH_API_SECRETS_FILE"]:
        print("blocked", flush=True)
        time.sleep(36000)


sys.addaudithook(block)
main()
"""


class TestServe:
    def test_starts_without_settings_and_warns(self, start: Run) -> None:
        running = start()
        warnings = [event["problem"] for event in running.events if event["level"] == "warning"]
        assert warnings == [
            "authentication is off: every caller reaches every room",
            "LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET",
        ]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_shuts_down_gracefully_on_a_signal_and_exits_with_0(
        self, start: Run, number: signal.Signals
    ) -> None:
        running = start(LEAVE_DELAY_SECONDS="5")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{running.url}/livez") as before:
                assert "Connection" not in before.headers
            running.process.send_signal(number)
            running.wait_for("shutting down")
            async with session.get(f"{running.url}/readyz") as after:
                assert (after.status, after.headers["Connection"]) == (503, "close")
        assert running.process.wait(TIMEOUT_S) == 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_at_once_on_a_second_signal(self, start: Run, number: signal.Signals) -> None:
        running = start(LEAVE_DELAY_SECONDS="300", DRAIN_TIMEOUT_SECONDS="300")
        client = socket.create_connection((URL(running.url).host, URL(running.url).port))
        client.sendall(f"POST {MUTE} HTTP/1.1\r\nHost: x\r\n".encode())
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("shutting down")
        running.process.send_signal(number)
        assert running.process.wait(TIMEOUT_S) == 128 + number
        client.close()

    def test_takes_signals_that_come_together_for_one(self, start: Run) -> None:
        """``timeout`` and ``make`` send SIGTERM to the process and then to its group."""
        running = start(DRAIN_TIMEOUT_SECONDS="300", BODY_TIMEOUT_SECONDS="300")
        with socket.create_connection((URL(running.url).host, URL(running.url).port)) as client:
            client.sendall(f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n".encode())
            for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
                running.process.send_signal(number)
            running.wait_for("shutting down")
            client.sendall(b"{}")
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 415 ")
        assert running.process.wait(TIMEOUT_S) == 0

    def test_ends_while_a_reload_is_blocked(self, tmp_path: Path) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text('[{"id": "tenant-a", "secret": "s3cret"}]')
        with subprocess.Popen(
            [sys.executable, "-c", BLOCKED_RELOAD, "serve", "--port", "0"],
            cwd=PROJECT,
            env=environment(AUTH_API_SECRETS_FILE=str(secrets)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout
            assert process.stderr
            while b"listening" not in process.stderr.readline():
                pass
            process.send_signal(signal.SIGHUP)
            assert process.stdout.readline() == b"blocked\n"
            process.terminate()
            assert process.wait(TIMEOUT_S) == 0

    def test_shows_where_a_bug_ended_it(self) -> None:
        done = run("-c", BUG, command=[sys.executable])
        assert done.returncode == 1
        assert "\nTraceback (most recent call last):\n" in done.stderr

    def test_raises_the_limit_of_open_files(self, start: Run) -> None:
        limits = {"MAX_CONNECTIONS": "100", "LIVEKIT_MAX_CONNECTIONS": "20", "MAX_IN_FLIGHT": "3"}
        running = start(ulimit="-S -n 200", **limits)
        soft, _ = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
        assert soft == 100 + 20 + (3 + 1) + 1024  # with a share of one request
        assert not [event for event in running.events if "open files" in str(event.get("problem"))]

    def test_warns_where_the_limit_of_open_files_is_too_low(self, start: Run) -> None:
        events = start(ulimit="-n 200").events
        problems = [str(event.get("problem")) for event in events if event["level"] == "warning"]
        assert any(
            each.startswith("the limit of open files (ulimit -n) is 200;") for each in problems
        )

    @pytest.mark.parametrize("keep_alive", [True, False])
    async def test_loses_no_request_during_graceful_shutdown(
        self, start: Run, keep_alive: bool
    ) -> None:
        running = start("--gateway", "in-memory", AUTH_REQUIRED="false")
        responses = 0

        async def request_until_refused(session: aiohttp.ClientSession) -> None:
            nonlocal responses
            while True:
                try:
                    async with session.post(f"{running.url}{MUTE}", json=DEMO_REQUEST) as answer:
                        assert answer.status == 200
                except aiohttp.ClientOSError as error:
                    refused = isinstance(error, aiohttp.ClientConnectorError)
                    # A new connection may be closed before its first byte, if the machine is busy.
                    unsent = isinstance(error.__cause__, aiohttp.ClientConnectionResetError)
                    assert refused or unsent or not keep_alive
                    return
                except aiohttp.ServerDisconnectedError:
                    # A connection that is accepted last ends soon, if its client is late.
                    assert not keep_alive
                    return
                responses += 1
                await asyncio.sleep(0.01)

        connector = aiohttp.TCPConnector(force_close=not keep_alive)
        async with aiohttp.ClientSession(connector=connector) as session:
            clients = [asyncio.create_task(request_until_refused(session)) for _ in range(20)]
            await asyncio.sleep(0.3)
            running.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*clients)
        assert running.process.wait(TIMEOUT_S) == 0
        assert responses == sum(event["event"] == "request" for event in running.events)

    async def test_applies_the_limits_of_its_settings(self, start: Run) -> None:
        running = start(
            "--gateway",
            "in-memory",
            AUTH_REQUIRED="false",
            MAX_BODY_BYTES="256",
            MAX_TRACK_SID_CHARACTERS="10",
        )
        line = f"curl {running.url}{MUTE} -H 'Content-Type: application/json' -d "
        body = json.dumps(DEMO_REQUEST)
        assert (await paste(f"{line}'{body}'"))[1][
            "error"
        ] == "track_sid is longer than 10 characters (MAX_TRACK_SID_CHARACTERS)"
        assert (await paste(f"{line}'{body:300}'"))[0] == 413

    def test_writes_a_console_log_on_request(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0"],
                env=environment(LOG_FORMAT="console"),
                stderr=stderr,
            )
        while "listening" not in log.read_text():
            time.sleep(0.02)
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0
        assert not any(line.startswith("{") for line in log.read_text().splitlines())

    def test_fails_with_one_line_where_it_cannot_listen(self) -> None:
        refused = run("serve", "--host", "192.0.2.1", LOG_LEVEL="error")
        assert refused.returncode == 1
        assert refused.stderr.startswith("livekit-mute: cannot listen on 192.0.2.1, port 3001: ")
        assert refused.stderr.count("\n") == 1

    def test_fails_where_its_port_is_in_use(self, start: Run) -> None:
        running = start()
        port = running.url.rpartition(":")[2]
        second = run("serve", "--port", port, LOG_LEVEL="error")
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith("livekit-mute: cannot listen")

    async def test_keeps_its_secrets_out_of_the_log(self, start: Run) -> None:
        """Even where a caller sends one as the name of a room."""
        running = start("--gateway", "in-memory", AUTH_API_SECRET="xyzzy-plugh")
        headers = {"Authorization": "Bearer xyzzy-plugh"}
        body = {**DEMO_REQUEST, "room_name": "xyzzy-plugh"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{running.url}{MUTE}", json=body, headers=headers) as answer,
        ):
            assert answer.status == 404
        running.wait_for("request")
        assert "[secret]" in running.log.read_text()
        assert "xyzzy" not in running.log.read_text()

    def test_logs_errors_of_the_event_loop(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", LOOP_ERROR],
            cwd=PROJECT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        events = [json.loads(line) for line in done.stderr.splitlines()]
        [event] = [event for event in events if event["level"] == "error"]
        assert (event["event"], event["problem"]) == ("event loop error", "arranged")


class TestStandardStreams:
    @pytest.mark.parametrize("closed", powerset("<&-", ">&-", "2>&-"), ids=" ".join)
    def test_may_be_closed(self, tmp_path: Path, closed: Sequence[str]) -> None:
        """Then no socket gets their numbers, and the log goes to whichever is left."""
        out, err = tmp_path / "out", tmp_path / "err"
        script = f'exec "$0" "$@" >{out} 2>{err} {" ".join(closed)}'
        [port] = free_ports(1)
        command = ["sh", "-c", script, *COMMAND, "serve", "--port", str(port)]
        process = subprocess.Popen([*command, "--gateway", "in-memory"], env=environment())
        try:
            wait_until_it_serves(port)
            links = [
                str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)
            ]
            assert not [link for link in links if link.startswith("socket:")]
            process.terminate()
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()
        log = out if "2>&-" in closed else err
        assert ("shutting down" in log.read_text()) is not ({">&-", "2>&-"} <= {*closed})

    def test_get_an_error_where_standard_error_is_closed(self) -> None:
        closed = ["sh", "-c", 'exec "$0" "$@" <&- 2>&-', *COMMAND]
        done = run("serve", "--port", "x", command=closed)
        assert done.returncode == 2
        assert done.stdout.startswith("livekit-mute: PORT: ")

    def test_may_be_full(self) -> None:
        script = 'exec "$0" "$@" >/dev/full 2>/dev/full'
        full = ["sh", "-c", script, *COMMAND]
        assert run("serve", "--port", "x", command=full).returncode == 2
        assert run("--nope", command=full).returncode == 2
        assert run("--version", command=full).returncode == 1
        [port] = free_ports(1)
        command = [*full, "serve", "--gateway", "in-memory", "--port", str(port)]
        process = subprocess.Popen(command, env=environment())
        try:
            wait_until_it_serves(port)
            process.terminate()
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()

    def test_are_named_where_the_version_cannot_be_written(self) -> None:
        done = run("--version", command=["sh", "-c", 'exec "$0" "$@" >/dev/full', *COMMAND])
        assert done.returncode == 1
        assert done.stderr == (
            "livekit-mute: cannot write to standard output: No space left on device\n"
        )


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("variables", "name"),
        [
            ({"PORT": "s3cret"}, "PORT"),
            ({"LIVEKIT_URL": "s3cret:7880"}, "LIVEKIT_URL"),
            ({"AUTH_REQUIRED": "true"}, "AUTH_REQUIRED"),
            ({"AUTH_REQIRED": "s3cret"}, "AUTH_REQIRED"),
        ],
    )
    def test_stop_the_start_with_one_line(self, variables: dict[str, str], name: str) -> None:
        stopped = run("serve", **variables)
        assert (stopped.returncode, stopped.stdout) == (2, "")
        assert stopped.stderr.startswith(f"livekit-mute: {name}: ")
        assert stopped.stderr.count("\n") == 1
        assert "s3cret" not in stopped.stderr

    @pytest.mark.parametrize(
        "arguments", [["--port", "x"], ["--host", "a b"], ["--gateway", "x"], ["--nope"]]
    )
    def test_may_be_arguments_too(self, arguments: list[str]) -> None:
        assert run("serve", *arguments).returncode == 2


class TestCommand:
    def test_prints_its_version(self) -> None:
        assert run("--version").stdout == f"{VERSION}\n"

    def test_needs_a_subcommand(self) -> None:
        assert run().returncode == 2
