"""``livekit-mute audit``."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from entrypoints.cli.errors import IncompleteError
from entrypoints.cli.output import aligned, write_json, write_line
from entrypoints.cli.trail import Event, Unread, read_events
from entrypoints.digest import name_digest

_TITLES = ("TIME", "CALLER", "CLIENT", "ASKED", "TRACK", "PARTICIPANT", "ROOM", "OUTCOME")
_ASKED: Mapping[object, str] = {True: "mute", False: "unmute"}
_STATES: Mapping[object, str] = {True: "muted", False: "unmuted"}
_MAX_CHARACTERS = 40
_NOTHING, _ANONYMOUS = "-", "(anonymous)"
_QUOTED = re.compile(r'-|\(anonymous\)|.*[\s"].*', re.DOTALL)
"""Names that could be taken for these two, or for several columns."""


@frozen(kw_only=True)
class AuditArguments:
    """Which events of which files are to be shown; ``None`` is any."""

    files: Sequence[str]
    room: str | None
    participant: str | None
    caller: str | None
    since: datetime | None
    until: datetime | None
    as_json: bool


def show_audit(asked: AuditArguments) -> None:
    """Write the events that were asked for, in the order of the files.

    Raises:
        IncompleteError: a file or a line could not be read; what could be is written.
        CannotWriteError: standard output cannot be written.
    """
    unread = Unread()
    events = (event for event in read_events(asked.files, unread) if _is_asked_for(asked, event))
    if asked.as_json:
        for event in events:
            write_json(event.members)
    else:
        for line in aligned(_TITLES, map(_row, events)):
            write_line(line)
    if unread.lines or unread.files:
        raise IncompleteError(lines=unread.lines, files=unread.files)


def _is_asked_for(asked: AuditArguments, event: Event) -> bool:
    names = {"room": asked.room, "participant": asked.participant, "caller_id": asked.caller}
    return (
        (asked.since is None or asked.since <= event.time)
        and (asked.until is None or event.time < asked.until)
        and all(_is_named(event, *name) for name in names.items())
    )


def _is_named(event: Event, field: str, name: str | None) -> bool:
    """Compare a name; one that was redacted or cut has a digest."""
    if name is None or event.members.get(field) == name:
        return True
    return event.members.get(f"{field}_sha256") == name_digest(name)


def _row(event: Event) -> Sequence[str]:
    is_authenticated = event.text("source") and event.text("code") != "UNAUTHORIZED"
    return (
        f"{event.time:%Y-%m-%dT%H:%M:%SZ}",
        _name(event, "caller_id", otherwise=_ANONYMOUS if is_authenticated else _NOTHING),
        _name(event, "client"),
        _ASKED.get(event.members.get("muted_wanted"), _NOTHING),
        *(_name(event, each) for each in ("track", "participant", "room")),
        _outcome(event),
    )


def _name(event: Event, field: str, *, otherwise: str = _NOTHING) -> str:
    """Write a name in at most 40 characters, in quotation marks where it needs them."""
    name = event.text(field)
    if _QUOTED.fullmatch(name):
        name = json.dumps(name, ensure_ascii=False)
    return _shortened(name) or otherwise


def _outcome(event: Event) -> str:
    code, reason = event.text("code"), event.text("reason")
    if code == "OK":
        return _STATES.get(event.members.get("muted"), _NOTHING)
    return f"{code}: {reason}" if reason else code


def _shortened(text: str) -> str:
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[: _MAX_CHARACTERS - 3]}..."
