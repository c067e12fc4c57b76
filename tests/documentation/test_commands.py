"""Commands of the documentation, run as they stand there, but for addresses and secrets."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from entrypoints.settings.settings import load_settings
from tests.contract.double_program import SECRET, Program, post, program
from tests.documentation.pages import block, blocks
from tests.support.command import COMMAND, TIMEOUT_S, Run, environment, paste
from tests.support.server_process import free_ports
from tests.support.service import DEMO_REQUEST

URL = "http://127.0.0.1:3001"
CHECK = block("docs/check.md", "sh", "kubectl")
OWNED = {"room": "conversation-room-123", "identity": "alice", "sid": "TR_mic"}


class TestDemo:
    async def test_answers_its_two_tenants_as_the_readme_says(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        commands = [each.text for each in blocks("README.md", "sh") if "curl" in each.text]
        answers = [json.loads(each.text) for each in blocks("README.md", "json")]
        found = [await paste(line.replace(URL, running.url)) for line in commands]
        assert found == list(zip((200, 404), answers, strict=True))

    async def test_mutes_with_the_command_for_callers(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        line = block("docs/api.md", "sh", "curl").replace(URL, running.url)
        assert await paste(line) == (200, DEMO_REQUEST)
        running.wait_for("request")
        assert running.events[-1]["request_id"] == "my-id-1"

    async def test_accepts_the_signed_token_that_the_page_makes(
        self, start: Run, folder: Path
    ) -> None:
        serve, mute = (each.text for each in blocks("docs/identity.md", "sh"))
        make_keys, _, rest = serve.partition("AUTH_")
        shell(make_keys, folder)
        settings = dict(re.findall(r"(AUTH_\w+)=(\S+)", f"AUTH_{rest}"))
        settings["AUTH_JWT_PUBLIC_KEY_PATH"] = str(folder / settings["AUTH_JWT_PUBLIC_KEY_PATH"])
        running = start("--gateway", "in-memory", **settings)
        line = mute.replace(URL, running.url)
        assert await paste(line, folder=folder) == (200, DEMO_REQUEST)


@pytest.fixture
def livekit() -> Iterator[Program]:
    with program(f"--api-secret={SECRET}") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs that the pages run."""
    programs = {
        "livekit-mute": COMMAND,
        ".venv/bin/livekit-mute": COMMAND,
        ".venv/bin/python": COMMAND[:1],
    }
    for name, words in programs.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
        path.chmod(0o755)
    return tmp_path


def shell(script: str, folder: Path, livekit: Program | None = None) -> str:
    """Run commands of a page, with the double for the LiveKit that they name."""
    if livekit:
        script = script.replace("wss://livekit.example.com", livekit.url)
        script = script.replace("KEY=...", "KEY=devkey").replace("SECRET=...", f"SECRET={SECRET}")
    variables = environment(HOME=str(folder))
    variables["PATH"] = f"{folder}:{variables['PATH']}"
    return subprocess.run(
        ["bash", "-e"],
        input=script,
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout


class TestCommandPage:
    async def test_lists_and_mutes(self, livekit: Program, folder: Path) -> None:
        alice = {"room": "room-1", "identity": "alice"}
        await post(livekit.url, "join", **alice)
        await post(livekit.url, "publish", **alice, sid="TR_AMXj2bTtR5gyZr")
        text = block("docs/command.md", "sh", "export LIVEKIT_URL")
        assert shell(text, folder, livekit).count("TR_AMXj2bTtR5gyZr") == 2

    def test_makes_a_secret_that_a_setting_reads(self, folder: Path) -> None:
        shell(block("docs/command.md", "sh", "livekit-mute secret"), folder)
        variables = {"AUTH_API_SECRETS_FILE": str(folder / "api-secrets.json")}
        assert [*load_settings(variables).auth.api_secrets.tenants.values()] == ["tenant-a"]

    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_completes_in_each_shell(self, folder: Path, name: str) -> None:
        """Bash evaluates its line; of the others only what they read is made."""
        lines = block("docs/command.md", "sh", "_LIVEKIT_MUTE_COMPLETE").splitlines()
        [line] = [each for each in lines if f"={name}_source" in each]
        if name == "bash":
            assert "livekit-mute" in shell(f"{line}\ncomplete -p livekit-mute", folder)
        else:
            [source] = re.findall(r"_LIVEKIT_MUTE_COMPLETE=\w+ livekit-mute", line)
            assert "livekit-mute" in shell(source, folder)


class TestAuditPage:
    @pytest.fixture(autouse=True)
    def trail(self, folder: Path) -> None:
        event = json.loads(block("docs/audit.md", "json", '"audit"'))
        line = json.dumps(event, separators=(",", ":"))
        (folder / "audit.jsonl").write_text(f"{line}\n")

    def test_shows_a_day(self, folder: Path) -> None:
        line = block("docs/audit.md", "sh", "--until")
        shown = shell(line.replace("/var/log/livekit-mute/", ""), folder)
        assert "ROOM_NOT_FOUND: foreign" in shown

    @pytest.mark.skipif(shutil.which("jq") is None, reason="one of the commands needs jq")
    def test_shows_what_journals_and_kubernetes_keep(self, folder: Path) -> None:
        lines = block("docs/audit.md", "sh", "journalctl")
        logs = re.compile(r"journalctl .* cat|kubectl logs \S+")
        shown = shell(logs.sub("cat audit.jsonl", lines), folder)
        assert shown.count("ROOM_NOT_FOUND: foreign") == 2


class TestCheckPage:
    def test_checks_from_outside_of_a_container(self, livekit: Program, folder: Path) -> None:
        lines = re.sub(r"(docker|kubectl) exec .*? (-- )?(?=livekit-mute check)", "", CHECK)
        key = f"LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET={SECRET} AUTH_REQUIRED=false"
        script = f"export LIVEKIT_URL={livekit.url} {key}\n{lines}"
        assert shell(script, folder).count("devkey is accepted") == 3

    @pytest.mark.skipif(shutil.which("jq") is None, reason="the command needs jq")
    def test_selects_what_failed(self, folder: Path) -> None:
        shown = shell(block("docs/check.md", "sh", "jq"), folder)
        assert re.fullmatch(r"livekit: not set: LIVEKIT_URL,.*\n", shown)


class TestMetricsPage:
    def test_reads_metrics(self, start: Run, folder: Path) -> None:
        serve, curl = block("docs/metrics.md", "sh", "METRICS_PORT").splitlines()
        name, _, port = serve.partition(" ")[0].partition("=")
        [free] = free_ports(1)
        start(**{name: str(free)})
        assert "livekit_mute_build_info" in shell(curl.replace(port, str(free)), folder)


class TestWorkersPage:
    def test_starts_workers(self, start: Run) -> None:
        [line] = block("docs/workers.md", "sh", "livekit-mute").splitlines()
        running = start(*line.split()[2:])
        assert [event["workers"] for event in running.events if "workers" in event] == [2]


class TestRunPage:
    async def test_connects_it_to_livekit(self, start: Run, livekit: Program, folder: Path) -> None:
        """The settings, the room of a tenant, and the list of its tracks."""
        serve = block("docs/run.md", "sh", "livekit-mute serve")
        exports = serve.replace(".venv/bin/livekit-mute serve", "env -0")
        found = shell(exports, folder, livekit).split("\0")
        variables = {name: value for name, _, value in (each.partition("=") for each in found)}
        settings = {k: v for k, v in variables.items() if k.startswith(("LIVEKIT_", "AUTH_"))}
        self.create_room(settings)
        await post(livekit.url, "join", room=OWNED["room"], identity=OWNED["identity"])
        await post(livekit.url, "publish", **OWNED)
        listed = block("docs/run.md", "sh", "tracks conversation-room-123")
        assert "TR_mic" in shell(exports.replace("env -0", listed), folder, livekit)
        running = start(**settings)
        body = json.dumps(
            {
                "room_name": OWNED["room"],
                "participant_identity": OWNED["identity"],
                "track_sid": OWNED["sid"],
                "muted": True,
            }
        )
        line = f"curl {running.url}/livekit/participant/mute -H 'Content-Type: application/json'"
        for token, status in {"<one>": 200, "<another>": 404}.items():
            command = f"{line} -H 'Authorization: Bearer {token}' -d '{body}'"
            assert (await paste(command))[0] == status

    def create_room(self, settings: Mapping[str, str]) -> None:
        code = block("docs/run.md", "python", "CreateRoomRequest")
        command = [sys.executable, "-c", code]
        subprocess.run(command, env=environment(**settings), check=True, timeout=TIMEOUT_S)
