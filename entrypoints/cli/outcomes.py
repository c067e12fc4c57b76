"""How each error ends the command: one table."""

from collections.abc import Mapping
from traceback import extract_tb

import click
from attrs import frozen

from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.caller import InvalidTenantIdError
from domain.room import RoomNotFoundError
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
from entrypoints.cli.output import complain
from entrypoints.settings.environment import SettingsError


@frozen
class Outcome:
    """An exit status, and the text for the user where the error's own is another one's."""

    status: ExitStatus
    text: str = ""


OUTCOMES: Mapping[type[Exception], Outcome] = {
    click.ClickException: Outcome(ExitStatus.USAGE),
    InvalidTenantIdError: Outcome(ExitStatus.USAGE),
    SettingsError: Outcome(ExitStatus.USAGE),
    RoomNotFoundError: Outcome(
        ExitStatus.ROOM_NOT_FOUND,
        "no such room, or with --as not that tenant's: check its name and its auth_id",
    ),
    ParticipantNotFoundError: Outcome(
        ExitStatus.PARTICIPANT_NOT_FOUND, "no such participant, or no such room"
    ),
    TrackNotFoundError: Outcome(
        ExitStatus.TRACK_NOT_FOUND,
        "the participant publishes no such track; 'livekit-mute tracks' lists those that there are",
    ),
    NotSeenError: Outcome(ExitStatus.NOT_SEEN),
    RoomGatewayUnavailableError: Outcome(ExitStatus.LIVEKIT_UNAVAILABLE, "LiveKit is unavailable"),
    RoomGatewayRefusedError: Outcome(ExitStatus.LIVEKIT_REFUSED, "LiveKit refused"),
    RemoteUnmuteDisabledError: Outcome(
        ExitStatus.REMOTE_UNMUTE_DISABLED,
        "LiveKit does not allow unmuting: room.enable_remote_unmute is off in its configuration",
    ),
    RoomGatewayNotConfiguredError: Outcome(ExitStatus.LIVEKIT_NOT_CONFIGURED),
    StateDiffersError: Outcome(ExitStatus.STATE_DIFFERS),
    SomeFailedError: Outcome(ExitStatus.SOME_FAILED),
    IncompleteError: Outcome(ExitStatus.INCOMPLETE),
    CannotWriteError: Outcome(ExitStatus.UNEXPECTED),
    ReaderGoneError: Outcome(ExitStatus.READER_GONE),
    Exception: Outcome(ExitStatus.UNEXPECTED, "a bug, please report it"),
}


def end(error: Exception) -> ExitStatus:
    """Say why the command failed, unless its reader is gone, and return its exit status."""
    while isinstance(error, ExceptionGroup):  # of tasks that ran in parallel
        error = error.exceptions[0]
    if not isinstance(error, ReaderGoneError):
        complain(explain(error))
    return outcome_of(error).status


def outcome_of(error: Exception) -> Outcome:
    """Find the row of an error's class, or else of the nearest of its bases."""
    return next(OUTCOMES[base] for base in type(error).__mro__ if base in OUTCOMES)


def explain(error: Exception) -> str:
    """Say in one line what happened; the text of an unknown error stays out, it may be a secret."""
    outcome = outcome_of(error)
    match error:
        case click.UsageError(ctx=click.Context() as context):
            problem = error.format_message().rstrip(".")
            return f"{problem}; see '{context.command_path} --help'"
        case RoomGatewayUnavailableError() | RoomGatewayRefusedError():
            return f"{outcome.text}: {error.reason}"
        case _ if outcome is OUTCOMES[Exception]:
            where = extract_tb(error.__traceback__)[-1]
            return f"{outcome.text}: {type(error).__name__} at {where.filename}:{where.lineno}"
        case _:
            return outcome.text or str(error)
