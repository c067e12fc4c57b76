import re
import signal
from collections.abc import Mapping, Sequence
from datetime import datetime
from unicodedata import east_asian_width

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


class TestRequest:
    def test_tells_who_did_what_to_whom(self) -> None:
        assert mute() == [f"{TIME} INFO  200 tenant-a muted alice/TR_x in standup 3.2ms"]
        assert mute(muted_wanted=False, muted=False) == [
            f"{TIME} INFO  200 tenant-a unmuted alice/TR_x in standup 3.2ms"
        ]

    def test_tells_what_livekit_reports_if_it_is_something_else(self) -> None:
        for wanted, verb, state in ((False, "unmute", "muted"), (True, "mute", "not muted")):
            assert mute(level="warning", muted_wanted=wanted, muted=not wanted) == [
                (
                    f"{TIME} WARN  200 tenant-a {verb} alice/TR_x in standup 3.2ms"
                    f" LiveKit reports it as {state}"
                )
            ]

    def test_tells_why_it_failed(self) -> None:
        assert failed(404, "ROOM_NOT_FOUND", "foreign") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms"
                " ROOM_NOT_FOUND: owned by another tenant"
            )
        ]
        assert failed(404, "ROOM_NOT_FOUND", "missing") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms"
                " ROOM_NOT_FOUND: there is no such room"
            )
        ]
        assert mute(status=404, code="TRACK_NOT_FOUND", muted=None) == [
            f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms TRACK_NOT_FOUND"
        ]

    def test_leaves_out_the_code_if_the_reason_fits_without_it(self) -> None:
        assert failed(404, "ROOM_NOT_FOUND", "foreign", track="TR_AMXj2bTtR5gyZr") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_AMXj2bTtR5gyZr in standup 3.2ms"
                " owned by another tenant"
            )
        ]

    def test_has_a_long_reason_below(self) -> None:
        reason = (
            "cannot connect to livekit.example.com:443: the certificate is signed by an unknown"
            " authority"
        )
        assert failed(500, "LIVEKIT_UNAVAILABLE", reason, level="error") == [
            f"{TIME} ERROR 500 tenant-a mute alice/TR_x in standup 3.2ms LIVEKIT_UNAVAILABLE",
            f"{INDENT}{reason.removesuffix(' authority')}",
            f"{INDENT}authority",
        ]

    def test_names_a_caller_without_an_id(self) -> None:
        anonymous = {name: value for name, value in MUTE.items() if name != "caller_id"}
        assert "200 (anonymous) muted" in written(anonymous)[0]
        assert '200 "(anonymous)" muted' in mute(caller_id="(anonymous)")[0]
        assert written({**GET, "level": "debug"}) == [
            f"{TIME} DEBUG 200 from 203.0.113.7 GET /livez 3.2ms"
        ]
        nobody = {name: value for name, value in GET.items() if name != "client"}
        assert written(nobody) == [f"{TIME} INFO  200 - GET /livez 3.2ms"]

    def test_shortens_only_the_names_that_are_too_long(self) -> None:
        [line] = mute(participant="p" * 256, room="r" * 64)
        assert line == (
            f"{TIME} INFO  200 tenant-a muted {'p' * 23}\u2026/TR_x in {'r' * 23}\u2026 3.2ms"
        )

    def test_quotes_names_that_could_be_mistaken(self) -> None:
        [line] = mute(
            caller_id='a "b"', participant="a/b", track="x in y", room="\x1b[31m\n\u202e\ud800"
        )
        assert line == (
            rf'{TIME} INFO  200 "a \"b\"" muted "a/b"/"x in y" in'
            r' "\x1b[31m\n\u202e\ud800" 3.2ms'
        )
        assert r'"\\x1b"' in mute(room=r"\x1b")[0]

    @pytest.mark.parametrize(
        ("status", "code", "reason"),
        [
            (200, "OK", ""),
            (404, "TRACK_NOT_FOUND", ""),
            (503, "AUTH_SERVICE_UNAVAILABLE", "x" * 300),
            (503, "A_CODE_OF_A_LENGTH_THAT_NO_CODE_HAS" * 2, "why"),
        ],
    )
    @settings(deadline=None)
    @given(chosen=st.lists(st.text(max_size=300), min_size=5, max_size=5))
    def test_fits_a_hundred_columns_and_injects_nothing(
        self, status: int, code: str, reason: str, chosen: list[str]
    ) -> None:
        *names, path = chosen
        outcome = {"status": status, "code": code, "elapsed_ms": 300_000.0, "reason": reason}
        named = dict(zip(("caller_id", "participant", "track", "room"), names, strict=True))
        for event in ({**MUTE, **named}, {**GET, "client": "::1" * 15, "path": path}):
            first, *below = written({**event, **outcome})
            assert first.startswith(f"{TIME} INFO  ")
            assert all(width(line) <= 100 and line.isprintable() for line in (first, *below))
            assert all(line.startswith(INDENT) for line in below)
            assert "".join(line.strip() for line in below) in ("", reason)


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
