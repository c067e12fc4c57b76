"""The audit log: a line for each event, whole, or counted as lost."""

import asyncio
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from entrypoints.audit_log import AuditLog
from tests.entrypoints.audit_logs import Opened, lines, opened, path, unread_pipe
from tests.support.virtual_time import run_in_virtual_time

__all__ = ["opened", "path"]


def lost(number: int, reason: str = "Broken pipe") -> tuple[Any, ...]:
    return (number, reason, "audit events lost", "error")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let files grow to a size only, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
