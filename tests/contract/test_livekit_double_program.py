"""The LiveKit double is a program, which tests in any language arrange over HTTP."""

import re
import signal
import socket
import subprocess

import pytest
from livekit.api import LiveKitAPI, MuteRoomTrackRequest

from tests.contract.double_program import ALICE, COMMAND, SECRET, Program, post, program
from tests.support.command import TIMEOUT_S, environment, run
from tests.support.imports import PROJECT


class TestProgram:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_silently(self, number: signal.Signals) -> None:
        with program() as running:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", running.url)
            running.process.send_signal(number)
            assert running.end() == (0, "", "")

    def test_waits_for_no_client_that_sends_no_more(self) -> None:
        head = "POST /double/join HTTP/1.1\r\nHost: any\r\nExpect: 100-continue\r\n"
        with program() as running:
            address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
            with socket.create_connection(address, TIMEOUT_S) as client:
                client.sendall(f"{head}Content-Length: 9\r\n\r\n".encode())
                assert client.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"
                running.process.terminate()
                assert running.end() == (0, "", "")

    def test_says_in_one_line_that_its_port_is_taken(self, double_program: Program) -> None:
        port = double_program.url.rpartition(":")[2]
        done = run("--port", port, command=COMMAND)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(
            rf"python -m contract\.livekit_double: cannot listen on 127\.0\.0\.1:{port} .*in use\n",
            done.stderr,
        )

    @pytest.mark.parametrize("port", ["-1", "65536", "any"])
    def test_takes_ports_that_there_are(self, port: str) -> None:
        done = run("--port", port, command=COMMAND)
        assert done.returncode == 2
        assert done.stderr.endswith(f"argument --port: '{port}' is not a port from 0 to 65535\n")

    async def test_takes_its_key_and_settings_from_its_options(self) -> None:
        with program("--api-key=k", f"--api-secret={SECRET}2", "--remote-unmute") as running:
            await post(running.url, "join", **ALICE)
            _, published = await post(running.url, "publish", **ALICE, muted=True)
            async with LiveKitAPI(running.url, "k", f"{SECRET}2", failover=False) as api:
                asked = MuteRoomTrackRequest(**ALICE, track_sid=published["sid"], muted=False)
                answer = await api.room.mute_published_track(asked)
            assert (answer.track.sid, answer.track.muted) == (published["sid"], False)

    def test_does_what_its_page_shows(self, double_program: Program) -> None:
        page = (PROJECT / "docs" / "livekit-double.md").read_text()
        (block,) = [
            each for each in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "curl" in each
        ]
        script = block.replace("http://127.0.0.1:7880", double_program.url).replace(
            "curl -s ", "curl -sw '\\n' "
        )
        done = subprocess.run(
            ["bash", "-e"],
            input=script,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        shown = [line[2:] for line in block.splitlines() if line.startswith("# ")]
        assert [line for line in done.stdout.splitlines() if line] == shown
