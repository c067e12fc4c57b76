"""Events of an audit trail, in files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entrypoints.cli.exit_status import ExitStatus
from entrypoints.command import run_command

Write = Callable[..., str]
Shown = Callable[..., list[Any]]


def event(**changes: object) -> dict[str, object]:
    return {
        "event": "audit",
        "version": 1,
        "timestamp": "2026-11-28T10:30:00.123456Z",
        "source": "api-secrets",
        "caller_id": "tenant-a",
        "client": "192.0.2.7",
        "room": "room-1",
        "participant": "alice",
        "track": "TR_mic",
        "muted_wanted": True,
        "muted": True,
        "code": "OK",
    } | changes


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of events, and return its path."""

    def write(*events: object, name: str = "audit.jsonl") -> str:
        path = tmp_path / name
        texts = [each if isinstance(each, str) else json.dumps(each) for each in events]
        path.write_text("".join(f"{text}\n" for text in texts))
        return str(path)

    return write


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    """Return the events that the command writes in JSON."""

    def shown(*arguments: str) -> list[Any]:
        assert run_command(["audit", "--json", *arguments]) == ExitStatus.DONE
        written = capsys.readouterr()
        assert written.err == ""
        return [json.loads(line) for line in written.out.splitlines()]

    return shown
