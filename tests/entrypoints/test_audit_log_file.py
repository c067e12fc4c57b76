"""The audit log's file: opened at the start, and again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from entrypoints.settings.environment import SettingsError
from tests.entrypoints.audit_logs import Opened, lines, opened, path, unread_pipe

__all__ = ["opened", "path"]

NOBODY = 65534


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

    def test_goes_on_where_the_previous_file_cannot_be_closed(
        self, opened: Opened, path: Path
    ) -> None:
        """As on a file server that has lost what was written."""
        with unread_pipe() as closed:
            pass
        audit_log = opened.at(closed, path=path)
        audit_log.reopen()
        audit_log.write({"room": "a"})
        assert lines(path) == [{"room": "a"}]

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
