"""The service with the settings of the Deployment: what the manifests promise, it does."""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.double_program import SECRET, program
from tests.deploy.manifests import Manifests, written
from tests.entrypoints.test_reload import ask, warnings_of
from tests.robustness.clients import MUTE_ALICE, Client, closes, get, slow_livekit
from tests.robustness.metrics import Metrics
from tests.robustness.test_shutdown_under_load import seconds_to_end
from tests.support.command import Run, run
from tests.support.server_process import free_ports
from tests.support.timeouts import HOUR_S

FILES = {
    "livekit-api-key": "devkey",
    "livekit-api-secret": SECRET,
    "api-secrets.json": json.dumps([{"id": "tenant-a", "secret": "s3cret-1"}]),
}


def mount(folder: Path, version: str, files: Mapping[str, str]) -> None:
    """Write a Secret as a kubelet does: a folder for each version, and a link that is swapped."""
    (folder / f"..{version}").mkdir()
    for name, text in files.items():
        (folder / f"..{version}" / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(f"..{version}")
    (folder / "..data_tmp").replace(folder / "..data")


def variables(manifests: Manifests, folder: Path, livekit: str) -> dict[str, str]:
    """Return those of the Deployment, with another LiveKit, folder and port of metrics."""
    here = {
        name: value.replace(manifests.secrets_folder, str(folder))
        for name, value in manifests.variables.items()
    }
    return {**here, "LIVEKIT_URL": livekit, "METRICS_PORT": str(free_ports(1)[0])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mounted"
    folder.mkdir()
    return folder


class TestSettings:
    def test_are_accepted_without_a_warning_and_work(
        self, manifests: Manifests, folder: Path
    ) -> None:
        mount(folder, "1", FILES)
        with program(f"--api-secret={SECRET}") as livekit:
            done = run("check", "--json", **variables(manifests, folder, livekit.url))
        verdicts = {
            each["check"]: each["verdict"]
            for each in map(json.loads, done.stdout.splitlines())
            if "check" in each
        }
        assert verdicts["settings"] == verdicts["livekit key"] == verdicts["api secrets"] == "ok"
        assert {*verdicts.values()} <= {"ok", "unknown"}
        assert done.returncode == 0


class TestService:
    async def test_takes_over_a_secret_that_is_replaced(self, start: Run, folder: Path) -> None:
        mount(folder, "1", FILES)
        with program(f"--api-secret={SECRET}") as livekit:
            running = start(**variables(written(), folder, livekit.url))
            assert [await ask(running, f"s3cret-{n}") for n in (1, 2)] == [404, 401]
            secrets = FILES["api-secrets.json"].replace("s3cret-1", "s3cret-2")
            mount(folder, "2", {**FILES, "api-secrets.json": secrets})
            running.wait_for("reloaded")
            assert [await ask(running, f"s3cret-{n}") for n in (1, 2)] == [401, 404]
        assert warnings_of(running) == []

    @pytest.mark.robustness("a pod that ends")
    async def test_ends_within_the_grace_period(
        self, start: Run, folder: Path, metrics: Metrics
    ) -> None:
        manifests, called = written(), asyncio.Event()
        async with slow_livekit(HOUR_S, called) as livekit:
            mount(
                folder,
                "1",
                {
                    "livekit-api-key": livekit["LIVEKIT_API_KEY"],
                    "livekit-api-secret": livekit["LIVEKIT_API_SECRET"],
                    "api-secrets.json": livekit["AUTH_API_SECRETS_JSON"],
                },
            )
            running = start(**variables(manifests, folder, livekit["LIVEKIT_URL"]))
            async with Client.connected(running.url) as held, Client.connected(running.url) as kept:
                assert not closes(await kept.request(get("/livez")))
                called.clear()  # the start has called LiveKit too
                waiting = asyncio.create_task(held.request(MUTE_ALICE))
                await called.wait()
                running.process.send_signal(signal.SIGTERM)
                running.wait_for("shutting down")
                answer = await kept.request(get("/livez"))
                assert (answer.status, closes(answer)) == (200, True)
                took_s = await seconds_to_end(running)
                assert (await waiting).outcome == (500, "LIVEKIT_UNAVAILABLE")
        assert running.process.returncode == 0
        grace_s = float(manifests.pod["terminationGracePeriodSeconds"])
        metrics.at_most("s to the end", took_s, grace_s, timed=True)
