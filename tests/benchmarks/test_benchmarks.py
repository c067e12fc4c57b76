"""The benchmarks run, and a wrong answer fails them. No speed is asserted."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cattrs import unstructure

from benchmarks.callgrind import Callgrind, CannotCountError
from benchmarks.load_config import LoadConfig
from benchmarks.processes import running
from benchmarks.scenarios import SECRET_OF_OWNER, one_track
from benchmarks.servers import HIGH_TIMEOUTS
from benchmarks.targets import OWNER, Target, Targets
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.settings import load_settings
from tests.support.livekit_server import LiveKitServer

PROJECT = Path(__file__).parents[2]
ALICE = Target(room="room", identity="alice", track_sid="TR_mic")
TARGETS = Targets(url="", one_per_room=(ALICE,), same_room=(ALICE,), other_tenant=ALICE)
TIMEOUT_S = 120

needs_valgrind = pytest.mark.skipif(not shutil.which("callgrind_control"), reason="needs valgrind")

PROGRAM = """
import json
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


server = TCPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
server.serve_forever()
"""


def run(
    *arguments: str, given: str = "", variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        env=variables,
        input=given,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.timeout(TIMEOUT_S)
def test_measures_and_writes_down(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    options = ["--rounds", "2", "--seconds", "0.2", "--json", str(out)]
    done = run("benchmarks", *options, "--only", "authenticated-32", "foreign")
    assert done.returncode == 0, done.stderr
    assert "authenticated, 32 connections" in done.stdout
    result = json.loads(out.read_text())
    assert set(result["medians"]) == {
        f"{scenario}/{program}"
        for scenario in ("authenticated-32", "foreign")
        for program in ("bare", "service")
    }
    assert {"ratios", "growth", "goals", "process", "runs", "skipped"} <= set(result)
    order = [("authenticated-32", "bare"), ("authenticated-32", "service")]
    order += [("foreign", "bare"), ("foreign", "service")]
    ran = [(run["scenario"], run["program"]) for run in result["runs"]]
    assert ran == [*order, *order[::-1]]


@pytest.mark.livekit_server
@pytest.mark.timeout(TIMEOUT_S)
def test_measures_a_program_that_the_user_started(
    livekit_server: Callable[..., LiveKitServer], tmp_path: Path
) -> None:
    livekit = livekit_server(remote_unmute=True)
    out = tmp_path / "out.json"
    variables = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "AUTH_API_SECRETS_JSON": json.dumps([{"id": OWNER, "secret": SECRET_OF_OWNER}]),
    }
    options = ["--livekit-url", livekit.url, "--participants", "2", "--json", str(out)]
    options += ["--api-key", livekit.api_key, "--api-secret", livekit.api_secret]
    options += ["--rounds", "1", "--seconds", "0.2", "--only", "authenticated-1", "foreign"]
    with running(["benchmarks.bare"], variables, tmp_path) as other:
        done = run("benchmarks", *options, "--program", other.url)
    assert done.returncode == 0, done.stderr
    assert "service / other" in done.stdout
    ratios = json.loads(out.read_text())["ratios_to_other"]
    assert ratios["authenticated-1"]["p50_ms"]["median"] > 0
    assert ratios["authenticated-1"]["cpu_us"] is None
    assert ratios["foreign"]["p50_ms"] is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--program", "http://127.0.0.1:8080"], "--program needs --livekit-url"),
        (["--livekit-url", "http://127.0.0.1:1"], "--livekit-url needs --api-key"),
        (["--compare", "/no/such.json"], "no results: "),
        (["--program", "127.0.0.1:8080"], "must be http://HOST:PORT"),
        (["--program", "http://127.0.0.1"], "must be http://HOST:PORT"),
        (["--program", "http://127.0.0.1:8080", "--instructions"], "not allowed with"),
    ],
)
def test_refuses_options_that_do_not_fit(options: list[str], error: str) -> None:
    done = run("benchmarks", *options)
    assert done.returncode == 2
    assert error in done.stderr


def test_says_that_livekit_cannot_be_reached() -> None:
    url = "http://127.0.0.1:1"
    options = ["--livekit-url", url, "--api-key", "key", "--api-secret", "secret"]
    done = run("benchmarks", *options, "--only", "authenticated-1", "--participants", "1")
    assert done.returncode == 1
    assert done.stderr.startswith("ProgramFailedError: ")
    assert f"LiveKit at {url}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_says_that_valgrind_is_missing(tmp_path: Path) -> None:
    done = run("benchmarks", "--instructions", variables={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == (
        "CannotCountError: valgrind and callgrind_control not found on PATH:"
        " install valgrind to count instructions\n"
    )


@needs_valgrind
def test_counts_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "localhost")  # a part of the name of valgrind's pipe
    (tmp_path / "program.py").write_text(PROGRAM)
    variables = {"PYTHONPATH": str(tmp_path)}
    counts = []
    with running(["program"], variables, tmp_path, counted=True) as program:
        for requests in (1, 10, 20):
            for _ in range(requests):
                program.get("/")
            counts.append(program.counters()["instructions"])
    ten, twenty = counts[1] - counts[0], counts[2] - counts[1]
    assert ten > 1_000_000 > counts[0]
    assert 1.5 < twenty / ten < 2.5
    assert not list(Path("/tmp").glob(f"vgdb-*-{program.process.pid}-*"))  # noqa: S108 - valgrind's


@needs_valgrind
def test_says_that_a_program_is_not_counted(tmp_path: Path) -> None:
    with pytest.raises(CannotCountError, match="no figures from callgrind"):
        Callgrind(tmp_path).instructions(os.getpid())


@pytest.mark.parametrize(("name", "seconds"), HIGH_TIMEOUTS.items())
def test_counts_with_the_highest_timeouts(name: str, seconds: str) -> None:
    load_settings({name: seconds})
    with pytest.raises(SettingsError, match=name):
        load_settings({name: f"{seconds}.1"})


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "{}"), (200, "{}"), (200, "[]"), (200, "no JSON")],
)
async def test_a_wrong_answer_fails_the_load(status: int, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_post("/livekit/participant/mute", answer)
    async with TestServer(app) as server:
        config = LoadConfig(
            url=str(server.make_url("")).rstrip("/"),
            connections=16,
            idle_connections=0,
            exchanges=tuple(one_track(TARGETS)),
            warm_up_s=0,
            seconds=0,
            timeout_s=30,
        )
        given = json.dumps(unstructure(config)) + "\n\n\n"
        done = await asyncio.to_thread(run, "benchmarks.load_generator", given=given)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(config.url)
    assert f"HTTP/1.1 {status}" in done.stderr
