"""Events of the audit trail, read from files: the trail's own, or the log's."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from attrs import define, frozen

from entrypoints.cli.output import complain

_VERSION = 1
_MAX_LINE_BYTES = 16 * 1024 * 1024
_TOO_LONG = b"too long"
_TEXTS = ("caller_id", "client", "code", "participant", "reason", "room", "source", "track")
_FLAGS = ("muted_wanted", "muted")
_OF_AUTHENTICATED = {"caller_id", "room", "source"}
_CODES_OF_AUTHENTICATION = ("AUTH_SERVICE_ERROR", "AUTH_SERVICE_UNAVAILABLE", "UNAUTHORIZED")


@frozen
class Event:
    """One request: its members, of which the known ones have the right type, and when it was."""

    members: Mapping[str, object]
    time: datetime

    def text(self, name: str) -> str:
        """Return a text, empty if the event has none of this name."""
        return cast("str", self.members.get(name, ""))


@define
class Unread:
    """How much could not be read."""

    lines: int = 0
    files: int = 0


def read_events(files: Sequence[str], unread: Unread) -> Iterator[Event]:
    """Yield the events of files, one after the other; ``-`` is standard input.

    What cannot be read is counted, and of a file the reason is told.
    """
    for file in files:
        try:
            with _open(file) as lines:
                for line in _whole_lines(lines):
                    if line.strip():
                        yield from _events(line, unread)
        except OSError as error:
            unread.files += 1
            complain(f"{file} cannot be read: {error.strerror or 'it is not a gzip file'}")
        except (EOFError, zlib.error):
            unread.files += 1
            complain(f"{file} cannot be read to its end: it is damaged")


def _open(file: str) -> IO[bytes]:
    if file == "-":
        return sys.stdin.buffer
    if file.endswith(".gz"):
        return cast("IO[bytes]", gzip.open(file))
    return Path(file).open("rb")


def _whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, in bounded memory: one that is too long is no event."""
    while line := file.readline(_MAX_LINE_BYTES):
        is_whole = len(line) < _MAX_LINE_BYTES
        yield line if is_whole else _TOO_LONG
        while not is_whole and line and not line.endswith(b"\n"):
            line = file.readline(_MAX_LINE_BYTES)


def _events(line: bytes, unread: Unread) -> Iterator[Event]:
    """Yield the event of a line, if it is one of a request that reached authentication."""
    try:
        members = json.loads(line)
        if _is_on_record(members):
            yield Event(members, _time_of(members))
    except (ValueError, OverflowError, RecursionError):
        unread.lines += 1


def _is_on_record(members: object) -> bool:
    """Return whether an event belongs to the trail.

    Raises:
        ValueError: it is no event, or one of another version.
    """
    match members:
        case {"event": "audit", "version": int(version)} if version == _VERSION:
            return True
        case {"event": "request", "code": code, **others}:
            return bool(_OF_AUTHENTICATED & others.keys()) or code in _CODES_OF_AUTHENTICATION
        case {"event": str(other)} if other not in ("audit", "request"):
            return False
        case _:
            raise ValueError("not an event")


def _time_of(members: Mapping[str, object]) -> datetime:
    """Return when an event was, and check the types of its other members that are looked at.

    Raises:
        ValueError: one has another type.
    """
    match members.get("timestamp"):
        case str(text) if (time := datetime.fromisoformat(text)).tzinfo:
            pass
        case _:
            raise ValueError("no time")
    if not all(isinstance(members.get(name, ""), str) for name in _TEXTS):
        raise ValueError("not a text")
    if not all(isinstance(members.get(name), bool | None) for name in _FLAGS):
        raise ValueError("not a flag")
    return time.astimezone(UTC)
