"""The benchmarks run, and a wrong answer fails them. No speed is asserted."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cattrs import unstructure

from benchmarks.load_config import LoadConfig
from benchmarks.scenarios import one_track
from benchmarks.targets import Target, Targets

PROJECT = Path(__file__).parents[2]
ALICE = Target(room="room", identity="alice", track_sid="TR_mic")
TARGETS = Targets(url="", one_per_room=(ALICE,), same_room=(ALICE,), other_tenant=ALICE)
TIMEOUT_S = 120


def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
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
            connections=2,
            idle_connections=0,
            exchanges=tuple(one_track(TARGETS)),
            warm_up_s=0,
            seconds=0,
        )
        given = json.dumps(unstructure(config)) + "\n\n\n"
        done = await asyncio.to_thread(run, "benchmarks.load_generator", given=given)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"HTTP/1.1 {status}" in done.stderr
