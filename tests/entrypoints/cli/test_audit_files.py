"""``livekit-mute audit``: the files that it reads."""

import gzip
import io
import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from entrypoints.cli.exit_status import ExitStatus
from entrypoints.command import run_command
from tests.entrypoints.cli.audit_events import Shown, Write, event, shown, write

__all__ = ["shown", "write"]

MISSING = (
    "events may be missing: lines that are no events: {},"
    " files that could not be read to their end: {}"
)


class TestFiles:
    def test_are_read_one_after_the_other(self, write: Write, shown: Shown, tmp_path: Path) -> None:
        packed = tmp_path / "audit.jsonl.2.gz"
        packed.write_bytes(gzip.compress(json.dumps(event(room="a")).encode()))
        files = [write(event(room="b"), "", name="audit.jsonl.1"), write(event(room="c"))]
        found = shown(str(packed), *files)
        assert [each["room"] for each in found] == ["a", "b", "c"]

    def test_may_be_standard_input(self, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
        text = json.dumps(event(room="caf\xe9"))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert [each["room"] for each in shown("-")] == ["caf\xe9"]

    def test_may_be_logs_of_the_service(self, write: Write, shown: Shown) -> None:
        request = {name: each for name, each in event().items() if name != "version"}
        request |= {"event": "request", "level": "info"}
        refused = {"event": "request", "timestamp": request["timestamp"], "code": "UNAUTHORIZED"}
        others = [
            {"event": "listening", "url": "http://127.0.0.1:3001"},
            {"event": "request", "path": "/livez", "code": "OK", "timestamp": "x"},
            {"event": "request", "path": "/nowhere", "code": "NOT_FOUND"},
        ]
        assert shown(write(*others, request, refused)) == [request, refused]

    def test_that_cannot_be_read_do_not_pass_for_a_whole_answer(
        self, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        packed = gzip.compress(json.dumps(event(room="a" * 100)).encode() * 100)
        damaged, plain = tmp_path / "1.gz", tmp_path / "2.gz"
        damaged.write_bytes(packed[:-20])
        plain.write_text("x")
        missing, good = str(tmp_path / "missing"), write(event())
        arguments = ["audit", "--json", missing, str(damaged), str(plain), good]
        assert run_command(arguments) == ExitStatus.INCOMPLETE
        written = capsys.readouterr()
        assert [json.loads(line) for line in written.out.splitlines()] == [event()]
        assert written.err.splitlines() == [
            f"livekit-mute: {missing} cannot be read: No such file or directory",
            f"livekit-mute: {damaged} cannot be read to its end: it is damaged",
            f"livekit-mute: {plain} cannot be read: it is not a gzip file",
            f"livekit-mute: {MISSING.format(0, 3)}",
        ]

    def test_with_lines_that_never_end_need_little_memory(
        self, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        packed, good = tmp_path / "1.gz", write(event())
        with gzip.open(packed, "wb", compresslevel=1) as file:
            for _ in range(200):
                file.write(bytes(1_000_000))
            file.write(b"\n" + json.dumps(event()).encode())
        tracemalloc.start()
        assert run_command(["audit", "--json", str(packed), good]) == ExitStatus.INCOMPLETE
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        written = capsys.readouterr()
        assert [json.loads(line) for line in written.out.splitlines()] == [event(), event()]
        assert written.err == f"livekit-mute: {MISSING.format(1, 0)}\n"
        assert peak < 100_000_000

    def test_with_lines_that_are_no_events_do_not_either(
        self, write: Write, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = [
            '{"event": "audit", "versi',
            "[" * 100_000,
            "5",
            "{}",
            '{"event": 1}',
            "\x00",
            event(version=2),
            event(timestamp=None),
            event(timestamp="2026-11-28T10:30:00"),
            event(timestamp="0001-01-01T00:00:00+01:00"),
            event(timestamp="yesterday"),
            event(room=["room-1"]),
            event(muted="yes"),
        ]
        assert run_command(["audit", "--json", write(*wrong, event())]) == ExitStatus.INCOMPLETE
        written = capsys.readouterr()
        assert [json.loads(line) for line in written.out.splitlines()] == [event()]
        assert written.err == f"livekit-mute: {MISSING.format(len(wrong), 0)}\n"
