"""Audit logs that are opened for a test."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from entrypoints.audit_log import AuditLog, open_audit_log
from entrypoints.settings.audit import AuditSettings


class Opened:
    """Opens audit logs, and keeps what they log."""

    def __init__(self) -> None:
        self._capture = LogCapture()
        self.log = structlog.wrap_logger(None, processors=[self._capture])

    def file(self, path: Path) -> AuditLog:
        return open_audit_log(AuditSettings(log=str(path)), self.log, lambda: frozenset({"hunter"}))

    def at(self, descriptor: int, *, fsync: bool = False, path: Path | str = "") -> AuditLog:
        """Write to a descriptor, as to standard output."""
        return AuditLog(
            descriptor=descriptor, path=str(path), fsync=fsync, secrets=frozenset, log=self.log
        )

    @property
    def logged(self) -> Sequence[tuple[Any, ...]]:
        return [tuple(entry.values()) for entry in self._capture.entries]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def unread_pipe() -> Iterator[int]:
    """Make a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"
