"""The command ``livekit-mute``: its subcommands, ``serve`` among them, and its exit status."""

import traceback
from collections.abc import Sequence
from functools import partial
from typing import Literal

import click

from entrypoints.cli import commands, parameters
from entrypoints.cli.errors import CannotWriteError, ReaderGoneError
from entrypoints.cli.exit_status import ExitStatus
from entrypoints.cli.output import complain
from entrypoints.version import VERSION


def run_command(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit status; ``docs/command.md`` lists them.

    That of ``serve`` is 0 after a signal to stop and 128 + its number after a second one.

    Raises:
        SystemExit: click has completed a word for a shell, or the reader of its help is gone.
    """
    try:
        action = _parse(arguments)
        return action() or ExitStatus.DONE
    except Exception as error:  # noqa: BLE001 - a user gets no traceback
        from entrypoints.cli.outcomes import end

        return end(error)


def _parse(arguments: Sequence[str]) -> commands.Action:
    """Return what the arguments ask for; help and the version have been written by then."""
    try:
        found = _livekit_mute.main(arguments, prog_name="livekit-mute", standalone_mode=False)
    except BrokenPipeError as error:
        raise ReaderGoneError(error.strerror) from None
    except OSError as error:
        raise CannotWriteError(error.strerror) from None
    return found if callable(found) else lambda: found


@click.group(
    commands=[
        commands.audit,
        commands.mute,
        commands.secret,
        commands.tracks,
        commands.unmute,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
@click.version_option(VERSION, message="%(version)s")
def _livekit_mute() -> None:
    """Mutes or unmutes tracks of participants in a LiveKit room.

    LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET in the environment say where LiveKit is.
    """


@_livekit_mute.command()
@click.option("--host", help="Address to listen on; overrides HOST.")
@click.option("--port", help="Port to listen on, 0 for a free one; overrides PORT.")
@click.option("--workers", help="Number of processes that serve; overrides WORKERS.")
@click.option(
    "--gateway",
    type=parameters.gateway_kind,
    default="livekit",
    help="Where the rooms are; in-memory is a demo without LiveKit.",
)
def serve(
    host: str | None,
    port: str | None,
    workers: str | None,
    gateway: Literal["livekit", "in-memory"],
) -> commands.Action:
    """Serve the REST API until SIGTERM or Ctrl-C."""
    given = {"HOST": host, "PORT": port, "WORKERS": workers}
    return partial(_serve, {name: value for name, value in given.items() if value}, gateway)


@_livekit_mute.command(
    epilog="""\b
Examples:
  livekit-mute check
  livekit-mute check --json | jq -r 'select(.verdict == "failed").text'
  livekit-mute check --live
"""
)
@parameters.as_json
@click.option(
    "--live",
    is_flag=True,
    help="Ask the service at HOST and PORT whether it is alive, and nothing else.",
)
def check(*, as_json: bool, live: bool) -> commands.Action:
    """Check the settings of serve, LiveKit, and the sources of identity."""
    return _check_live if live else partial(_check, as_json=as_json)


def _check_live() -> int:
    from entrypoints.check.live import check_live

    return check_live()


def _check(*, as_json: bool) -> int:
    from entrypoints.check.run import run_check

    return run_check(as_json=as_json)


def _serve(overrides: dict[str, str], gateway: Literal["livekit", "in-memory"]) -> int:
    from entrypoints.http.server.listener import CannotListenError
    from entrypoints.serve import run
    from entrypoints.settings.environment import SettingsError

    try:
        return run(overrides, gateway=gateway)
    except SettingsError:
        raise
    except CannotListenError as error:
        complain(f"{error}; end what listens there, or change HOST, PORT or METRICS_PORT")
    except Exception:  # noqa: BLE001 - an operator needs to know where
        traceback.print_exc()
    return ExitStatus.UNEXPECTED
