"""The audit log: lines in a file, whatever happens to it."""

import asyncio
import json
import os
import resource
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from entrypoints.audit_log import AuditLog, open_audit_log
from entrypoints.settings.audit import AuditSettings
from entrypoints.settings.environment import SettingsError
from tests.support.virtual_time import run_in_virtual_time

NOBODY = 65534


class Opened:
    """Opens audit logs, and keeps what they log."""

    def __init__(self) -> None:
        self._capture = LogCapture()
        self.log = structlog.wrap_logger(None, processors=[self._capture])

    def file(self, path: Path) -> AuditLog:
        return open_audit_log(AuditSettings(log=str(path)), self.log, lambda: frozenset({"hunter"}))

    def at(self, descriptor: int, *, fsync: bool = False) -> AuditLog:
        """Write to a descriptor, as to standard output."""
        return AuditLog(
            descriptor=descriptor, path="", fsync=fsync, secrets=frozenset, log=self.log
        )

    @property
    def logged(self) -> Sequence[tuple[Any, ...]]:
        return [tuple(entry.values()) for entry in self._capture.entries]


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def lost(number: int, reason: str = "Broken pipe") -> tuple[Any, ...]:
    return (number, reason, "audit events lost", "error")


@contextmanager
def unread_pipe() -> Iterator[int]:
    """Make a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let files grow to a size only, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def unprivileged() -> Iterator[None]:
    """Have no right that root has."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


class TestWrite:
    def test_appends_a_line_to_a_file_of_its_owner(self, opened: Opened, path: Path) -> None:
        for name in ("a", "\xe9\ud800\n"):
            opened.file(path).write({"room": name, "muted": None})
        assert lines(path) == [
            {"room": "a", "muted": None},
            {"room": "\xe9\ud800\n", "muted": None},
        ]
        assert path.stat().st_mode & 0o777 == 0o600

    def test_redacts_secrets_and_tells_names_apart_by_a_digest(
        self, opened: Opened, path: Path
    ) -> None:
        opened.file(path).write({"room": "hunter", "track": "eyJhbGciOiJI.x"})
        [line] = lines(path)
        digest = line.pop("track_sha256")
        assert line == {"room": "[secret]", "track": "[secret]"}
        assert len(digest) == 16

    def test_keeps_lines_whole_though_several_write_at_once(
        self, opened: Opened, path: Path
    ) -> None:
        logs = [opened.file(path) for _ in range(4)]

        def write(number: int) -> None:
            for _ in range(50):
                logs[number].write({"who": number, "room": str(number) * 20_000})

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [(line["who"], len(line["room"])) for line in lines(path)]
        assert sorted(found) == [(number, 20_000) for number in range(4) for _ in range(50)]

    def test_waits_for_the_disk_if_told_to(self, opened: Opened) -> None:
        """A pipe cannot be synchronized, which shows."""
        reader, writer = os.pipe()
        counts = []
        for fsync in (False, True):
            audit_log = opened.at(writer, fsync=fsync)
            run_in_virtual_time(written(audit_log))
            counts.append((audit_log.written, audit_log.lost))
        assert counts == [(1, 0), (0, 1)]
        assert opened.logged == [lost(1, "Invalid argument")]
        os.close(reader)
        os.close(writer)


async def written(audit_log: AuditLog) -> None:
    audit_log.write({"room": "a"})


class TestLosses:
    def test_are_logged_at_once_and_then_once_a_minute(self, opened: Opened) -> None:
        async def lose(audit_log: AuditLog) -> None:
            for _ in range(3):
                await written(audit_log)
            assert opened.logged == [lost(1)]
            await asyncio.sleep(59)
            await written(audit_log)
            assert opened.logged == [lost(1)]
            await asyncio.sleep(2)
            assert opened.logged == [lost(1), lost(3)]
            await asyncio.sleep(120)
            await written(audit_log)
            assert opened.logged[2:] == [lost(1)]
            await written(audit_log)
            audit_log.close()
            assert opened.logged[3:] == [lost(1)]

        with unread_pipe() as writer:
            audit_log = opened.at(writer)
            run_in_virtual_time(lose(audit_log))
        assert (audit_log.written, audit_log.lost) == (0, 6)

    def test_leave_the_next_event_a_line_of_its_own(self, opened: Opened, path: Path) -> None:
        async def fill(audit_log: AuditLog) -> None:
            for size in (10, 34):
                with largest_file(size):
                    await written(audit_log)
                audit_log.write({"room": "b"})
            audit_log.close()

        audit_log = opened.file(path)
        run_in_virtual_time(fill(audit_log))
        assert path.read_text() == '{"room":"a\n{"room":"b"}\n' * 2
        assert (audit_log.written, audit_log.lost) == (2, 2)
        assert opened.logged == [lost(1, "File too large")] * 2

    def test_of_a_process_that_has_ended_do_too(self, opened: Opened, path: Path) -> None:
        for line in ('{"room":"a', '{"room":"a"}\n'):
            path.write_text(line)
            opened.file(path).write({"room": "b"})
            assert path.read_text().endswith('\n{"room":"b"}\n')
            assert "\n\n" not in path.read_text()


class TestReopen:
    def test_writes_to_a_new_file_where_the_old_one_was_moved(
        self, opened: Opened, path: Path
    ) -> None:
        audit_log, moved = opened.file(path), path.with_name("moved")
        path.rename(moved)
        audit_log.write({"room": "a"})
        audit_log.reopen()
        audit_log.write({"room": "b"})
        assert (lines(moved), lines(path)) == ([{"room": "a"}], [{"room": "b"}])

    def test_is_not_needed_where_the_file_is_truncated(self, opened: Opened, path: Path) -> None:
        audit_log = opened.file(path)
        audit_log.write({"room": "a"})
        os.truncate(path, 0)
        audit_log.write({"room": "b"})
        assert path.read_text() == '{"room":"b"}\n'

    def test_keeps_the_old_file_if_there_can_be_no_new_one(
        self, opened: Opened, path: Path
    ) -> None:
        audit_log, moved = opened.file(path), path.with_name("moved")
        path.rename(moved)
        path.mkdir()
        audit_log.reopen()
        audit_log.write({"room": "a"})
        assert lines(moved) == [{"room": "a"}]
        problem = "AUDIT_LOG: the file is a directory; name a file in it"
        assert opened.logged == [
            (problem, "audit log not reopened, writing to the previous file", "error")
        ]

    def test_of_standard_output_does_nothing(self, opened: Opened) -> None:
        with unread_pipe() as writer:
            opened.at(writer).reopen()
            os.fstat(writer)


class TestOpen:
    def test_names_the_cause_and_the_remedy(self, opened: Opened, path: Path) -> None:
        os.mkfifo(path.with_name("pipe"))
        path.write_text("")
        not_regular = "is not a regular file; for a pipe or a terminal use stdout, for none off"
        cases = {
            path.with_name("missing") / "x": "the file's directory does not exist; create it",
            path.parent: "the file is a directory; name a file in it",
            path / "x": "the file cannot be opened: Not a directory",
            path.with_name("pipe"): not_regular,
            Path("/dev/null"): not_regular,
        }
        found = {}
        for each in cases:
            with pytest.raises(SettingsError) as caught:
                opened.file(each)
            found[each] = str(caught.value)
        assert found == {each: f"AUDIT_LOG: {problem}" for each, problem in cases.items()}

    def test_names_the_user_who_has_no_right_to(self, opened: Opened, path: Path) -> None:
        path.parent.chmod(0o500)
        with unprivileged(), pytest.raises(SettingsError) as caught:
            opened.file(path)
        user = NOBODY if os.geteuid() == 0 else os.geteuid()
        assert str(caught.value) == (
            "AUDIT_LOG: the file may not be read and written;"
            f" give it or its directory to user {user}"
        )
