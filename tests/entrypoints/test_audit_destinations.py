"""AUDIT_LOG: where the service writes its audit trail to."""

import io
import json
import signal
from pathlib import Path
from typing import Any

from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem
from tests.entrypoints.test_reload import FAILED, ask, reload
from tests.support.command import TIMEOUT_S, Run, Running, run


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def requests(running: Running) -> list[dict[str, object]]:
    return [event for event in running.events if event["event"] == "request"]


async def served(start: Run, audit_log: str) -> tuple[list[dict[str, object]], list[Any]]:
    """Serve a request; return what is logged of it, and the lines on standard output."""
    running = start(
        "--gateway", "in-memory", AUTH_API_SECRET="first", AUTH_API_SECRET_ID="tenant-a",
        AUDIT_LOG=audit_log,
    )  # fmt: skip
    assert await ask(running, "first") == 200
    running.process.send_signal(signal.SIGTERM)
    stdout, _ = running.process.communicate(timeout=TIMEOUT_S)
    return requests(running), lines(stdout)


class TestAuditLog:
    async def test_is_in_the_log_by_default(self, start: Run) -> None:
        [event], stdout = await served(start, "")
        expected = ("tenant-a", "demo-room", True)
        assert (event["caller_id"], event["room"], event["muted"]) == expected
        assert stdout == []

    async def test_may_be_standard_output(self, start: Run) -> None:
        [logged], [event] = await served(start, "stdout")
        assert event["event"] == "audit"
        common = event.keys() - {"event", "version", "timestamp"}
        assert common == logged.keys() - {"event", "level", "timestamp"}
        assert {name: event[name] for name in common} == {name: logged[name] for name in common}

    async def test_may_be_a_file(self, start: Run, tmp_path: Path) -> None:
        path = tmp_path / "audit.jsonl"
        [logged], stdout = await served(start, str(path))
        [event] = lines(path.read_text())
        assert (event["request_id"], event["room"]) == (logged["request_id"], "demo-room")
        assert stdout == []

    async def test_may_be_off_and_then_the_log_names_no_room_and_participant(
        self, start: Run
    ) -> None:
        [event], stdout = await served(start, "off")
        assert (event["caller_id"], event["status"]) == ("tenant-a", 200)
        assert event.keys().isdisjoint({"room", "participant", "track", "muted_wanted", "muted"})
        assert stdout == []

    async def test_is_opened_again_at_sighup_whatever_the_settings_are(
        self, start: Run, tmp_path: Path
    ) -> None:
        secrets, path = tmp_path / "secrets", tmp_path / "audit.jsonl"
        secrets.write_text('[{"id": "tenant-a", "secret": "first"}]')
        running = start(
            "--gateway", "in-memory", AUTH_API_SECRETS_FILE=str(secrets), AUDIT_LOG=str(path)
        )  # fmt: skip
        for number, content in enumerate(('[{"id": "tenant-a", "secret": "first"}]', "broken")):
            assert await ask(running, "first") == 200
            path.rename(tmp_path / f"moved-{number}")
            secrets.write_text(content)
            reload(running, FAILED if content == "broken" else "reloaded")
        assert await ask(running, "first") == 200
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(TIMEOUT_S)
        files = [tmp_path / "moved-0", tmp_path / "moved-1", path]
        found = [lines(file.read_text())[0]["request_id"] for file in files]
        assert found == [event["request_id"] for event in requests(running)]

    async def test_that_lost_events_tells_so_at_the_end_too(self, start: Run) -> None:
        running = start(
            "--gateway", "in-memory", AUTH_API_SECRET="first", AUTH_API_SECRET_ID="tenant-a",
            AUDIT_LOG="stdout",
        )  # fmt: skip
        assert running.process.stdout
        running.process.stdout.close()
        running.process.stdout = io.StringIO()
        for _ in range(3):
            assert await ask(running, "first") == 200
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(TIMEOUT_S)
        lost = [each["number"] for each in running.events if each["event"] == "audit events lost"]
        assert lost == [1, 2]

    def test_that_cannot_be_opened_stops_the_start(self, tmp_path: Path) -> None:
        done = run("serve", "--gateway", "in-memory", AUDIT_LOG=str(tmp_path / "x" / "audit"))
        assert done.returncode == 2
        expected = "livekit-mute: AUDIT_LOG: the file's directory does not exist; create it\n"
        assert done.stderr.endswith(expected)


class TestSettings:
    def test_name_a_destination(self) -> None:
        texts = ("stderr", "STDOUT", "off", "/var/log/audit.jsonl", "./stdout")
        found = [load_settings({"AUDIT_LOG": text}).audit for text in texts]
        assert [(each.log, each.kind) for each in found] == [
            ("stderr", "stderr"),
            ("stdout", "stdout"),
            ("off", "off"),
            ("/var/log/audit.jsonl", "file"),
            ("./stdout", "file"),
        ]

    def test_stop_the_start_if_they_are_wrong(self) -> None:
        for wrong in ("sterr", "audit.jsonl", "/a\nb", "none"):
            assert problem({"AUDIT_LOG": wrong}) == (
                "AUDIT_LOG: must be stderr, stdout, off, or the path of a file, which contains a"
                " slash: /var/log/livekit-mute/audit.jsonl"
            )
        assert problem({"AUDIT_FSYNC": "true"}) == "AUDIT_FSYNC: needs AUDIT_LOG to be set too"
        assert problem({"AUDIT_LOG": "stdout", "AUDIT_FSYNC": "true"}) == (
            "AUDIT_FSYNC: needs AUDIT_LOG to be the path of a file"
        )
