"""Where the audit trail is written to: standard output or a file, one line for each event."""

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from attrs import define, field
from structlog.typing import FilteringBoundLogger, Processor

from entrypoints.json_line import json_line
from entrypoints.redaction import redacting
from entrypoints.settings.audit import AuditSettings
from entrypoints.settings.environment import SettingsError

_NOT_REOPENED = "audit log not reopened, writing to the previous file"
_STDOUT = 1
_REPORT_INTERVAL_S = 60.0
_REMEDIES = {
    errno.ENOENT: "the file's directory does not exist; create it",
    errno.EACCES: "the file may not be read and written; give it or its directory to user {user}",
    errno.EISDIR: "the file is a directory; name a file in it",
}


@define(kw_only=True, eq=False)
class AuditLog:
    """Appends events; one that cannot be written is lost, which fails nothing.

    Losses are logged: the first at once, later ones once a minute. A line is one call of the
    system, so that those of several processes do not mix.

    Attributes:
        written: how many events were written.
        lost: how many were not, or (with ``fsync``) may not be on the disk.
    """

    _descriptor: int
    _path: str
    _fsync: bool
    _secrets: Callable[[], frozenset[str]]
    _log: FilteringBoundLogger
    _write_line: Callable[[int, bytes], int] = os.write
    written: int = field(init=False, default=0)
    lost: int = field(init=False, default=0)
    _is_torn: bool = False
    """Whether the last line is incomplete."""
    _unreported: int = field(init=False, default=0)
    _reason: str = field(init=False, default="")
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)
    _render: Processor = field(init=False)

    @_render.default
    def _redacting(self) -> Processor:
        return redacting(json_line, self._secrets)

    def write(self, event: dict[str, object]) -> None:
        """Append an event, in which secrets are redacted."""
        try:
            self._append(str(self._render(None, "", event)).encode() + b"\n")
            if self._fsync:
                os.fdatasync(self._descriptor)
        except OSError as error:
            self._lose(error.strerror or type(error).__name__)
        else:
            self.written += 1

    def _append(self, line: bytes) -> None:
        left = b"\n" + line if self._is_torn else line
        while left:
            left = left[self._write_line(self._descriptor, left) :]
            self._is_torn = bool(left)

    def _lose(self, reason: str) -> None:
        self.lost += 1
        self._unreported += 1
        self._reason = reason
        if self._timer is None:
            self._report()

    def _report(self) -> None:
        """Log what was lost since the last time, and wait a minute until the next time."""
        self._timer = None
        if self._unreported:
            self._log.error("audit events lost", number=self._unreported, reason=self._reason)
            self._unreported = 0
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_REPORT_INTERVAL_S, self._report)

    def reopen(self) -> None:
        """Open the file at the path again, which may be another one by now."""
        if not self._path:
            return
        try:
            opened = _open(self._path)
        except SettingsError as error:
            self._log.error(_NOT_REOPENED, reason=str(error))
            return
        previous = self._descriptor
        self._descriptor, self._is_torn = opened
        with suppress(OSError):  # of what was written earlier, where files are elsewhere
            os.close(previous)

    def close(self) -> None:
        """Log what was lost and not told yet."""
        if self._timer:
            self._timer.cancel()
        self._report()


def open_audit_log(
    settings: AuditSettings,
    log: FilteringBoundLogger,
    secrets: Callable[[], frozenset[str]],
    write: Callable[[int, bytes], int] = os.write,
) -> AuditLog:
    """Open the file, with mode 600 if it is new, or else standard output.

    Args:
        settings: of the audit trail.
        log: is told of events that are lost.
        secrets: returns the values to redact, called for each event.
        write: writes to a descriptor and returns how many bytes it has written; another one keeps
            lines of several processes from mixing on a pipe.

    Raises:
        SettingsError: the file cannot be opened.
    """
    path = settings.log if settings.kind == "file" else ""
    descriptor, is_torn = _open(path) if path else (_STDOUT, False)
    return AuditLog(
        descriptor=descriptor,
        is_torn=is_torn,
        path=path,
        fsync=settings.fsync,
        secrets=secrets,
        log=log,
        write_line=write,
    )


def verify_audit_log(settings: AuditSettings) -> None:
    """Find out whether ``open_audit_log`` would succeed, without creating the file.

    Raises:
        SettingsError: the file could not be opened.
    """
    path = Path(os.path.realpath(settings.log))  # a link to nothing stands for its target
    is_new = not os.path.lexists(path)
    if settings.kind == "file" and not (is_new and os.access(path.parent, os.W_OK | os.X_OK)):
        descriptor, _ = _open(settings.log)
        os.close(descriptor)


def _open(path: str) -> tuple[int, bool]:
    """Open a file; return its descriptor, and whether its last line is incomplete.

    Raises:
        SettingsError: it cannot be opened, or is no regular file.
    """
    # Nothing is read but the last byte. The last two keep a pipe or a terminal from doing harm.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    with ExitStack() as undo:
        try:
            descriptor = os.open(path, flags, 0o600)
            undo.callback(os.close, descriptor)
            is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            is_torn = is_regular and _ends_torn(descriptor)
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, f"the file cannot be opened: {error.strerror}")
            raise SettingsError("AUDIT_LOG", remedy.format(user=os.geteuid())) from None
        if not is_regular:
            problem = "is not a regular file; for a pipe or a terminal use stdout, for none off"
            raise SettingsError("AUDIT_LOG", problem)
        undo.pop_all()
    return descriptor, is_torn


def _ends_torn(descriptor: int) -> bool:
    """Return whether the last line of a file is incomplete, because a disk was full for instance.

    What is appended next begins with a newline then.
    """
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
