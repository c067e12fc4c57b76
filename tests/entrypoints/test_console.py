import re
import signal
from collections.abc import Mapping, Sequence
from datetime import datetime
from unicodedata import east_asian_width

import pytest

from entrypoints.console import console
from tests.entrypoints.cli.terminal import terminal
from tests.support.command import COMMAND, environment

TIMESTAMP = "2026-11-29T12:31:07.123456Z"
TIME = datetime.fromisoformat(TIMESTAMP).astimezone().strftime("%H:%M:%S")
INDENT = " " * 15

MUTE: Mapping[str, object] = {
    "event": "request",
    "level": "info",
    "room": "standup",
    "participant": "alice",
    "track": "TR_x",
    "muted_wanted": True,
    "muted": True,
    "request_id": "f00",
    "method": "POST",
    "path": "/livekit/participant/mute",
    "status": 200,
    "code": "OK",
    "elapsed_ms": 3.214,
    "client": "203.0.113.7",
    "caller_id": "tenant-a",
    "source": "api-secrets",
}
GET: Mapping[str, object] = {
    name: value
    for name, value in {**MUTE, "method": "GET", "path": "/livez"}.items()
    if name not in ("room", "participant", "track", "muted_wanted", "muted", "caller_id", "source")
}


def written(event: Mapping[str, object], *, colors: bool = False) -> Sequence[str]:
    """Return the lines of an event, of which the first has the time."""
    text = console(colors=colors)(None, "", {"timestamp": TIMESTAMP, **event})
    assert isinstance(text, str)
    return text.split("\n")


def mute(**changes: object) -> Sequence[str]:
    return written({**MUTE, **changes})


def failed(status: int, code: str, reason: str, **changes: object) -> Sequence[str]:
    return mute(status=status, code=code, reason=reason, muted=None, **changes)


def width(line: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in line)


class TestOtherEvents:
    def test_have_their_fields_behind_them(self) -> None:
        event = {
            "event": "listening",
            "level": "info",
            "url": "http://127.0.0.1:3001",
            "odd": "a b",
        }
        assert written(event) == [
            f'{TIME} INFO  listening url=http://127.0.0.1:3001 odd="a b"',
        ]
        assert written({"event": "reloaded", "level": "info"}) == [f"{TIME} INFO  reloaded"]

    def test_have_their_sentences_at_the_end_and_nothing_is_shortened(self) -> None:
        event = {
            "event": "event loop error",
            "level": "error",
            "reason": "E",
            "problem": "it broke",
        }
        assert written(event) == [f"{TIME} ERROR event loop error: it broke: E"]
        long = {"event": "settings warning", "level": "warning", "problem": "word " * 40 + "end"}
        lines = written(long)
        assert all(width(line) <= 100 for line in lines)
        assert " ".join(line[15:] for line in lines) == f"settings warning: {long['problem']}"

    def test_inject_nothing(self) -> None:
        odd = {"event": "odd", "level": "notice", "elapsed_ms": 1.5}
        assert written(odd) == [f"{TIME} WARN  odd elapsed_ms=1.5"]
        lines = written({"event": "a\n12:31:07 b", "level": "critical", "reason": "\x1b[2J"})
        assert lines == [rf"{TIME} ERROR a\n12:31:07 b: \x1b[2J"]

    def test_have_a_stack_below(self) -> None:
        stack = ['  File "x.py", line 1, in f\n    f("\x1b")\n', "  and there\n"]
        assert written({"event": "request", "level": "error", "stack": stack, "reason": "E"}) == [
            f"{TIME} ERROR request: E",
            f'{INDENT}  File "x.py", line 1, in f',
            rf'{INDENT}    f("\x1b")',
            f"{INDENT}  and there",
        ]


class TestColors:
    @pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
    def test_change_nothing_else(self, level: str) -> None:
        event = {**MUTE, "level": level}
        [line] = written(event, colors=True)
        assert "\x1b[" in line
        assert [re.sub(r"\x1b\[\d+m", "", line)] == written(event)

    @pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
    def test_are_those_of_a_terminal_unless_switched_off(
        self, no_color: str, *, colored: bool
    ) -> None:
        variables = environment(NO_COLOR=no_color)
        with terminal(*COMMAND, "serve", "--port", "0", variables=variables) as shown:
            shown.read_until("listening url=")
            shown.process.send_signal(signal.SIGTERM)
            assert shown.read_all() == 0
        assert ("\x1b[" in shown.written) is colored
