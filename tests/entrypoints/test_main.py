"""The command as a process of its own, as an operator and a newcomer meet it."""

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.command import COMMAND, PATIENCE_S, Run, paste, run
from tests.service import DEMO_WISH, MUTE


class TestServe:
    def test_starts_without_settings_and_says_what_is_off(self, start: Run) -> None:
        running = start()
        warnings = [event["event"] for event in running.events if event["level"] == "warning"]
        assert warnings == [
            "authentication is off: every caller reaches every room",
            "LiveKit is not configured: set LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET",
        ]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_leaves_with_0_on_a_signal_having_served_to_the_end(
        self, start: Run, number: signal.Signals
    ) -> None:
        running = start()
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{running.url}/livez") as before:
                assert "Connection" not in before.headers
            running.process.send_signal(number)
            running.wait_for("leaving")
            async with session.get(f"{running.url}/readyz") as after:
                assert (after.status, after.headers["Connection"]) == (503, "close")
        assert running.process.wait(PATIENCE_S) == 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_at_once_on_a_second_signal(self, start: Run, number: signal.Signals) -> None:
        running = start(DRAIN_TIMEOUT_SECONDS="300")
        client = socket.create_connection((URL(running.url).host, URL(running.url).port))
        client.sendall(f"POST {MUTE} HTTP/1.1\r\nHost: x\r\n".encode())
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("leaving")
        running.process.send_signal(number)
        assert running.process.wait(PATIENCE_S) == 128 + number
        client.close()

    def test_takes_as_many_open_files_as_it_may_need(self, start: Run) -> None:
        bounds = {"MAX_CONNECTIONS": "100", "LIVEKIT_MAX_CONNECTIONS": "20", "MAX_IN_FLIGHT": "3"}
        running = start(ulimit="-S -n 200", **bounds)
        soft, _ = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
        assert soft == 100 + 20 + 3 + 512
        assert not [event for event in running.events if "files" in str(event["event"])]

    def test_warns_where_it_gets_too_few_open_files(self, start: Run) -> None:
        events = start(ulimit="-n 200").events
        assert "too few open files for all connections that are set: 200 (ulimit -n)" in [
            event["event"] for event in events if event["level"] == "warning"
        ]

    @pytest.mark.parametrize("keep_alive", [True, False])
    async def test_loses_no_request_when_told_to_stop(self, start: Run, keep_alive: bool) -> None:
        running = start("--gateway", "in-memory", LOG_LEVEL="info")
        asked = 0

        async def ask_until_refused(session: aiohttp.ClientSession) -> None:
            nonlocal asked
            while True:
                try:
                    async with session.post(f"{running.url}{MUTE}", json=DEMO_WISH) as answer:
                        assert answer.status == 200
                except aiohttp.ClientConnectorError:
                    return
                asked += 1
                await asyncio.sleep(0.01)

        connector = aiohttp.TCPConnector(force_close=not keep_alive)
        async with aiohttp.ClientSession(connector=connector) as session:
            clients = [asyncio.create_task(ask_until_refused(session)) for _ in range(20)]
            await asyncio.sleep(0.3)
            running.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*clients)
        assert running.process.wait(PATIENCE_S) == 0
        assert asked == sum(event["event"] == "request" for event in running.events)

    async def test_prints_a_line_for_the_demo_that_works_when_pasted(self, start: Run) -> None:
        running = start("--gateway", "in-memory", "--host", "::1", AUTH_REQUIRED="false")
        assert running.process.stdout
        said = [running.process.stdout.readline() for _ in range(3)]
        assert "demo" in said[0]
        assert await paste(said[2]) == (200, DEMO_WISH)

    async def test_prints_a_line_with_a_token_where_one_is_needed(self, start: Run) -> None:
        running = start(
            "--gateway",
            "in-memory",
            HOST="0.0.0.0",
            AUTH_API_SECRET="$ecret",
            AUTH_API_SECRET_ID="demo",
        )
        assert running.process.stdout
        line = [running.process.stdout.readline() for _ in range(3)][2]
        assert await paste(line, TOKEN="$ecret") == (200, DEMO_WISH)
        assert (await paste(line, TOKEN="wrong"))[0] == 401
        assert "$ecret" not in running.log.read_text() + line

    async def test_says_whose_secret_the_demo_needs(self, start: Run) -> None:
        running = start("--gateway", "in-memory", AUTH_API_SECRET="s3cret")
        assert running.process.stdout
        assert "set AUTH_API_SECRET_ID=demo" in running.process.stdout.readline()

    async def test_serves_within_the_limits_that_are_set(self, start: Run) -> None:
        running = start(
            "--gateway", "in-memory", MAX_BODY_BYTES="256", MAX_TRACK_SID_CHARACTERS="10"
        )
        line = f"curl {running.url}{MUTE} -H 'Content-Type: application/json' -d "
        body = json.dumps(DEMO_WISH)
        assert (await paste(f"{line}'{body}'"))[1][
            "error"
        ] == "track_sid is longer than 10 characters"
        assert (await paste(f"{line}'{body:300}'"))[0] == 413

    def test_writes_for_people_where_asked(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [COMMAND, "serve", "--port", "0"],
                env={"PATH": os.environ["PATH"], "LOG_FORMAT": "console"},
                stderr=stderr,
            )
        while "listening" not in log.read_text():
            time.sleep(0.02)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert not any(line.startswith("{") for line in log.read_text().splitlines())

    def test_says_in_one_line_that_it_cannot_listen(self) -> None:
        refused = run("serve", "--host", "192.0.2.1", LOG_LEVEL="error")
        assert refused.returncode == 1
        assert refused.stderr.startswith("livekit-mute: cannot listen on 192.0.2.1, port 3001: ")
        assert refused.stderr.count("\n") == 1

    def test_says_that_its_port_is_taken(self, start: Run) -> None:
        running = start()
        port = running.url.rpartition(":")[2]
        second = run("serve", "--port", port, LOG_LEVEL="error")
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith("livekit-mute: cannot listen")


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
    def test_tells_its_version(self) -> None:
        assert run("--version").stdout == f"{version('livekit-mute')}\n"

    def test_needs_to_be_told_what_to_do(self) -> None:
        assert run().returncode == 2
