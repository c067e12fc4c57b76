"""Changes of files, seen by looking at them once a second.

That works on every file system, and whatever replaces a file or a link on the way to it;
``docs/decisions/0033-reload-on-change.md`` compares it with the system's notifications.
"""

import asyncio
from typing import NoReturn

from attrs import define, field

from entrypoints.settings.files import FileVersions, versions_of

_INTERVAL_S = 1.0


@define
class SettledChanges:
    """Sees each change once, when two looks in a row have found the same versions of the files."""

    _known: FileVersions
    _last_seen: FileVersions = field(init=False)

    @_last_seen.default
    def _nothing_else_yet(self) -> FileVersions:
        return self._known

    def look(self, now: FileVersions) -> bool:
        """Return whether the files have changed since the last time, and have settled."""
        settled, self._last_seen = now == self._last_seen, now
        if not settled or now == self._known:
            return False
        self._known = now
        return True


async def set_on_change(
    changed: asyncio.Event, known: FileVersions, *, interval_s: float = _INTERVAL_S
) -> NoReturn:
    """Set an event at each change of the files that has settled, until cancelled.

    Args:
        changed: the event.
        known: the files to look at, with their versions when they were last read.
        interval_s: seconds from one look to the next.
    """
    changes = SettledChanges(known)
    while True:
        await asyncio.sleep(interval_s)
        if changes.look(await asyncio.to_thread(versions_of, known)):  # a file server may hang
            changed.set()
