"""The log for people at a terminal: lines of at most 100 columns, the time in the local zone.

Names that are too long for the line are shortened, and the JSON has them whole. A reason is not
shortened: it continues below.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from unicodedata import east_asian_width

from structlog.typing import EventDict, Processor

_INDENT = " " * 15  # the columns of the time and the level
_COLUMNS = 100 - len(_INDENT)
_CAPS = (64, 40, 32, 24, 20, 16, 12, 8)
"""How many columns each name may take: the first with which the line fits."""
_LEVELS = {
    "debug": ("DEBUG", 2),
    "info": ("INFO", 32),
    "warning": ("WARN", 33),
    "error": ("ERROR", 31),
    "critical": ("ERROR", 31),
}
"""The name of each level, and its style in the escape sequences of terminals.

A library's own levels count as warnings: it logs from that level on.
"""
_PLAIN = re.compile(r"[\w.,:;@+=~%#<>\[\]\u2026-]+")
_REASONS = {"missing": "there is no such room", "foreign": "owned by another tenant"}
_SENTENCES = ("problem", "reason")
"""Fields that are written at the end of an event, without their names."""


def console(*, colors: bool) -> Processor:
    """Make the renderer of events that have a timestamp and a level."""

    def processor(_: object, __: str, event: EventDict) -> str:
        level, style = _LEVELS.get(event["level"], _LEVELS["warning"])
        time = datetime.fromisoformat(event["timestamp"]).astimezone().strftime("%H:%M:%S")
        stack = "".join(event.get("stack", ())).splitlines()
        is_request = event["event"] == "request" and "elapsed_ms" in event
        lines = [*(_request(event) if is_request else _other(event)), *stack]
        start = f"{time} {level:5} "
        if colors:
            start = f"\x1b[2m{time}\x1b[0m \x1b[{style}m{level:5}\x1b[0m "
        return start + f"\n{_INDENT}".join(map(_printable, lines))

    return processor


def _request(event: Mapping[str, object]) -> Sequence[str]:
    """Say who did what to whom, and why not.

    If that is too long even with short names, the code is left out, or the reason stands below.
    """
    code, why = _error(event)
    both = ": ".join(filter(None, (code, why)))
    *most, _ = _CAPS
    ways = ((both, most, ""), (why, most, ""), (code, _CAPS, why))
    lines = (
        (f"{_outcome(event, cap)} {ending}".rstrip(), below)
        for ending, caps, below in ways
        for cap in caps
        if ending or not both
    )
    line, below = next((each for each in lines if _width(each[0]) <= _COLUMNS), (code, why))
    return [line, *wrap(_printable(below), _COLUMNS)]


def _error(event: Mapping[str, object]) -> tuple[str, str]:
    """Return the code of an error and its reason, both empty if there is none."""
    if event["code"] != "OK":
        reason = str(event.get("reason", ""))
        return str(event["code"]), _REASONS.get(reason, reason)
    if event.get("muted") == event.get("muted_wanted"):
        return "", ""
    return "", f"LiveKit reports it as {'muted' if event['muted'] else 'not muted'}"


def _outcome(event: Mapping[str, object], cap: int) -> str:
    who = "-"
    if "caller_id" in event:
        who = _name(event["caller_id"], cap)
    elif "source" in event and event["code"] != "UNAUTHORIZED":
        who = "(anonymous)"  # as a tenant's id this would be in quotation marks
    elif "client" in event:
        who = f"from {_name(event['client'], cap)}"
    return f"{event['status']} {who} {_action(event, cap)} {event['elapsed_ms']:.1f}ms"


def _action(event: Mapping[str, object], cap: int) -> str:
    if "muted_wanted" not in event:
        return f"{_name(event['method'], cap)} {_name(event['path'], cap, slashes=True)}"
    done = "d" if event["muted"] == event["muted_wanted"] else ""
    participant, track, room = (
        _name(event[each], cap) for each in ("participant", "track", "room")
    )
    return f"{'mute' if event['muted_wanted'] else 'unmute'}{done} {participant}/{track} in {room}"


def _other(event: Mapping[str, object]) -> Sequence[str]:
    """Write an event's fields behind it, and then its sentences."""
    hidden = ("event", "level", "stack", "timestamp", *_SENTENCES)
    fields = [
        f"{name}={_name(value, slashes=True)}"
        for name, value in event.items()
        if name not in hidden
    ]
    sentences = [str(event[name]) for name in _SENTENCES if name in event]
    text = ": ".join([" ".join([str(event["event"]), *fields]), *sentences])
    return wrap(_printable(text), _COLUMNS, break_on_hyphens=False)


def _name(value: object, cap: float = math.inf, *, slashes: bool = False) -> str:
    """Write a value as one word, or else in quotation marks, in at most ``cap`` columns."""
    text = _printable(str(value).replace("\\", r"\\").replace('"', r"\""))
    mark = "" if _PLAIN.fullmatch(text.replace("/", "") if slashes else text) else '"'
    cap -= 2 * len(mark)
    if _width(text) > cap:
        text = text[: int(cap)]
        while _width(text) >= cap:
            text = text[:-1]
        text += "\u2026"
    return f"{mark}{text}{mark}"


def _width(text: str) -> int:
    """Count the columns that a terminal shows a text in; combining characters count too."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _printable(text: str) -> str:
    """Replace control characters and the like, which a terminal would obey."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
