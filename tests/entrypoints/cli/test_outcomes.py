import inspect
import re
from collections.abc import Iterator

import click
import pytest

import application.ports.room_gateway
import domain.caller
import domain.room
import domain.strict_json
import domain.track
import entrypoints.cli.errors
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.caller import InvalidTenantIdError
from domain.room import RoomNotFoundError, RoomNotFoundReason
from domain.track import ParticipantNotFoundError, TrackNotFoundError
from entrypoints.cli.errors import (
    CannotWriteError,
    IncompleteError,
    NotSeenError,
    ReaderGoneError,
    SomeFailedError,
    StateDiffersError,
)
from entrypoints.cli.exit_status import ExitStatus
from entrypoints.cli.outcomes import OUTCOMES, end, explain, outcome_of
from entrypoints.settings.environment import SettingsError
from tests.support.imports import PROJECT, modules

PAGE = (PROJECT / "docs" / "command.md").read_text()

CASES: list[tuple[Exception, ExitStatus, str]] = [
    (click.UsageError("x"), ExitStatus.USAGE, "x"),
    (InvalidTenantIdError(), ExitStatus.USAGE, "a tenant id is "),
    (SettingsError("NAME", "x"), ExitStatus.USAGE, "NAME: x"),
    (
        RoomNotFoundError(RoomNotFoundReason.FOREIGN, "x"),
        ExitStatus.ROOM_NOT_FOUND,
        "no such room",
    ),
    (ParticipantNotFoundError(), ExitStatus.PARTICIPANT_NOT_FOUND, "no such participant"),
    (TrackNotFoundError(), ExitStatus.TRACK_NOT_FOUND, "the participant publishes no such track"),
    (NotSeenError("track"), ExitStatus.NOT_SEEN, "no such track seen"),
    (
        RoomGatewayUnavailableError(reason="x"),
        ExitStatus.LIVEKIT_UNAVAILABLE,
        "LiveKit is unavailable: x",
    ),
    (RoomGatewayRefusedError(reason="x"), ExitStatus.LIVEKIT_REFUSED, "LiveKit refused: x"),
    (
        RemoteUnmuteDisabledError(),
        ExitStatus.REMOTE_UNMUTE_DISABLED,
        "LiveKit does not allow unmuting: room.enable_remote_unmute is off",
    ),
    (
        RoomGatewayNotConfiguredError(missing=("LIVEKIT_URL",)),
        ExitStatus.LIVEKIT_NOT_CONFIGURED,
        "the room server is not configured: set LIVEKIT_URL",
    ),
    (StateDiffersError(muted=False), ExitStatus.STATE_DIFFERS, "LiveKit reports that it is not"),
    (SomeFailedError(1, 2), ExitStatus.SOME_FAILED, "1 of 2 tracks failed"),
    (
        IncompleteError(lines=1, files=2),
        ExitStatus.INCOMPLETE,
        "events may be missing: lines that are no events: 1",
    ),
    (CannotWriteError("x"), ExitStatus.UNEXPECTED, "cannot write to standard output: x"),
    (ReaderGoneError("x"), ExitStatus.READER_GONE, "cannot write to standard output: x"),
    (KeyError("s3cret"), ExitStatus.UNEXPECTED, "a bug, please report it: KeyError"),
]
NOT_RAISED_HERE = {"StrictJsonError", "DuplicateKeyError", "_NoOwnerError"}
"""Errors of the domain that end where a room's metadata is read."""
BASES = {"NotFoundError", "RoomGatewayError", "CommandError"}


def errors() -> Iterator[type[Exception]]:
    """Yield every class of errors of the domain, of the port and of the command."""
    for module in (
        domain.caller,
        domain.room,
        domain.strict_json,
        domain.track,
        application.ports.room_gateway,
        entrypoints.cli.errors,
    ):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and kind.__module__ == module.__name__:
                yield kind


def broken() -> None:
    raise KeyError("s3cret")


class TestTable:
    @pytest.mark.parametrize("kind", [*errors()])
    def test_has_a_row_for_every_error_of_ours(self, kind: type[Exception]) -> None:
        row = next(base for base in kind.__mro__ if base in OUTCOMES)
        assert (row is Exception) is (kind.__name__ in NOT_RAISED_HERE | BASES)

    def test_looks_at_all_modules_of_the_domain(self) -> None:
        found = {kind.__module__ for kind in errors() if kind.__module__.startswith("domain.")}
        in_domain = {name for name, _ in modules(PROJECT / "domain") if "." in name}
        assert found == in_domain - {"domain.rate"}  # which has no errors

    @pytest.mark.parametrize(("error", "status", "text"), CASES)
    def test_has_a_status_and_a_text(self, error: Exception, status: ExitStatus, text: str) -> None:
        try:
            raise error
        except type(error):
            assert outcome_of(error).status == status
            assert explain(error).startswith(text)
            assert "s3cret" not in explain(error)

    def test_names_the_place_of_a_bug(self) -> None:
        with pytest.raises(KeyError) as failed:
            broken()
        line = broken.__code__.co_firstlineno + 1
        assert explain(failed.value).endswith(f"KeyError at {__file__}:{line}")

    def test_uses_every_status_but_those_that_no_error_leads_to(self) -> None:
        used = {row.status for row in OUTCOMES.values()}
        assert {*ExitStatus} - used == {
            ExitStatus.DONE,
            ExitStatus.INTERRUPTED,
            ExitStatus.TERMINATED,
        }

    def test_tells_the_outcomes_of_a_mute_apart(self) -> None:
        """Only wrong input and what is unexpected share a status."""
        shared = (ExitStatus.USAGE, ExitStatus.UNEXPECTED)
        own = [row.status for row in OUTCOMES.values() if row.status not in shared]
        assert len(own) == len({*own})

    def test_is_in_the_documentation(self) -> None:
        rows = re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
        assert [(int(number), name) for number, name in rows] == [
            (status.value, status.name) for status in ExitStatus
        ]


class TestEnd:
    def test_writes_one_line_without_control_characters(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert end(SettingsError("NAME", "\x1b[31m\nx")) == ExitStatus.USAGE
        assert capsys.readouterr().err == "livekit-mute: NAME: \\x1b[31m\\nx\n"

    def test_is_silent_where_nobody_reads_the_results(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert end(ReaderGoneError("Broken pipe")) == ExitStatus.READER_GONE
        assert capsys.readouterr().err == ""

    def test_takes_the_first_of_several_errors(self, capsys: pytest.CaptureFixture[str]) -> None:
        group = ExceptionGroup("", [ExceptionGroup("", [CannotWriteError("x")]), KeyError()])
        assert end(group) == ExitStatus.UNEXPECTED
        assert capsys.readouterr().err == "livekit-mute: cannot write to standard output: x\n"
