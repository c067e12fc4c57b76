"""``livekit-mute audit``: who muted whom."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from entrypoints.cli.exit_status import ExitStatus
from entrypoints.command import run_command
from tests.entrypoints.cli.audit_events import Shown, Write, event, shown, write

__all__ = ["shown", "write"]

HEAD = "TIME  CALLER  CLIENT  ASKED  TRACK  PARTICIPANT  ROOM  OUTCOME"


class TestTable:
    def test_tells_who_asked_for_what_and_what_became_of_it(
        self, write: Write, capsys: pytest.CaptureFixture[str]
    ) -> None:
        nothing = dict.fromkeys(("room", "participant", "track", "muted_wanted", "muted"), 0)
        unknown = {
            name: value
            for name, value in event(code="UNAUTHORIZED", reason="expired").items()
            if name not in nothing and name not in ("caller_id", "source")
        }
        expired = {**unknown, "source": "signed-tokens", "credential": "2026-05"}
        masked = event(code="ROOM_NOT_FOUND", reason="foreign", muted=None)
        anonymous = {name: value for name, value in event().items() if name != "caller_id"}
        failed = event(code="PARTICIPANT_NOT_FOUND", muted=None, participant="x" * 41)
        other = event(muted_wanted=False, timestamp="2026-11-28T10:30:00+01:00")
        path = write(event(), masked, unknown, expired, anonymous, failed, other)
        assert run_command(["audit", path]) == ExitStatus.DONE
        rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
        assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
            HEAD.split("  "),
            _row(),
            _row(outcome="ROOM_NOT_FOUND: foreign"),
            *[["2026-11-28T10:30:00Z", "-", "192.0.2.7", *"----", "UNAUTHORIZED: expired"]] * 2,
            _row(caller="(anonymous)"),
            _row(participant="x" * 37 + "...", outcome="PARTICIPANT_NOT_FOUND"),
            _row(time="2026-11-28T09:30:00Z", asked="unmute"),
        ]

    def test_escapes_what_could_move_the_cursor(
        self, write: Write, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = write(event(room="\x1b[2J", participant="\u202e", caller_id="a\nb"))
        assert run_command(["audit", path]) == ExitStatus.DONE
        written = capsys.readouterr().out
        assert written.count("\n") == 2
        assert {"\\x1b[2J", "\\u202e", '"a\\nb"'} <= {*written.split()}

    @pytest.mark.parametrize("name", ["-", "(anonymous)", "b  room-2", '"b"'])
    def test_quotes_names_that_could_be_taken_for_something_else(
        self, write: Write, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        assert run_command(["audit", write(event(caller_id=name, room=name))]) == ExitStatus.DONE
        assert capsys.readouterr().out.count(f"  {json.dumps(name)}  ") == 2

    def test_has_its_head_alone_where_nothing_is_found(
        self, write: Write, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_command(["audit", write()]) == ExitStatus.DONE
        assert capsys.readouterr().out == f"{HEAD}\n"


def _row(
    *,
    time: str = "2026-11-28T10:30:00Z",
    caller: str = "tenant-a",
    asked: str = "mute",
    participant: str = "alice",
    outcome: str = "muted",
) -> list[str]:
    return [time, caller, "192.0.2.7", asked, "TR_mic", participant, "room-1", outcome]


class TestOptions:
    def test_choose_by_name(self, write: Write, shown: Shown) -> None:
        others = [event(room="room-2"), event(participant="bob"), event(caller_id="tenant-b")]
        path = write(event(), *others)
        assert shown(path, "--room", "room-2") == others[:1]
        assert shown(path, "--participant", "bob") == others[1:2]
        assert shown(path, "--caller", "tenant-b") == others[2:]
        assert shown(path, "--room", "room-1", "--caller", "tenant-b") == others[2:]
        assert shown(path, "--room", "room") == []

    def test_find_names_that_are_redacted_or_cut_by_their_digest(
        self, write: Write, shown: Shown
    ) -> None:
        name = "eyJhbGciOiJI.x"
        digest = sha256(name.encode()).hexdigest()[:16]
        hidden = event(room="[secret]", room_sha256=digest)
        assert shown(write(hidden, event()), "--room", name) == [hidden]

    @pytest.mark.parametrize(
        ("since", "until", "hours"),
        [
            ("2026-11-28", "2026-11-29", [0, 23]),
            ("2026-11-28T00:00:01", "2026-11-29T00:00:01", [23, 24]),
            ("2026-11-28T00:00+01:00", "2026-11-28T00:00+00:00", [-1]),
        ],
    )
    def test_choose_by_time_from_the_first_to_before_the_last(
        self, write: Write, shown: Shown, since: str, until: str, hours: list[int]
    ) -> None:
        day = datetime(2026, 11, 28, tzinfo=UTC)
        events = {
            hour: event(timestamp=(day + timedelta(hours=hour)).isoformat())
            for hour in (-1, 0, 23, 24)
        }
        found = shown(write(*events.values()), "--since", since, "--until", until)
        assert found == [events[hour] for hour in hours]

    def test_choose_by_age(self, write: Write, shown: Shown) -> None:
        now = datetime.now(UTC)
        events = {
            hours: event(timestamp=(now - timedelta(hours=hours)).isoformat())
            for hours in (100, 47, 1, 0.4)
        }
        path = write(*events.values())
        assert shown(path, "--since", "2d") == [events[47], events[1], events[0.4]]
        assert shown(path, "--since", "2h") == [events[1], events[0.4]]
        assert shown(path, "--since", "30m") == [events[0.4]]
        assert shown(path, "--since", "1s") == []

    @pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "2w", "", "99999999d"])
    def test_name_what_is_a_time(self, capsys: pytest.CaptureFixture[str], time: str) -> None:
        assert run_command(["audit", "x", "--since", time]) == ExitStatus.USAGE
        assert "must be like 30m, 2h, 7d, 2026-11-28 or" in capsys.readouterr().err
