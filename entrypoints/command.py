"""The arguments of the command ``livekit-mute``, and its exit status."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version

from entrypoints.http.server.listener import CannotListenError
from entrypoints.serve import run
from entrypoints.settings.environment import SettingsError


def run_command(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit status.

    It is 0 after a signal to stop and 128 + its number after a second one, 1 if it cannot listen or
    cannot write what was asked for, and 2 for wrong arguments or settings.
    """
    try:
        parsed = _parser().parse_args(arguments)
        given = {"HOST": parsed.host, "PORT": parsed.port}
        overrides = {name: value for name, value in given.items() if value}
        return run(overrides, gateway=parsed.gateway)
    except SystemExit as exit_:  # argparse has written the help, the version or an error
        return int(exit_.code or 0) or _flush_output()
    except SettingsError as error:
        return _fail(2, str(error))
    except CannotListenError as error:
        return _fail(1, str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livekit-mute",
        description="Mutes or unmutes one participant's track in a LiveKit room.",
    )
    parser.add_argument("--version", action="version", version=version("livekit-mute"))
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("serve", help="serve the REST API until SIGTERM or Ctrl-C")
    command.add_argument("--host", help="address to listen on; overrides HOST")
    command.add_argument("--port", help="port to listen on, 0 for a free one; overrides PORT")
    command.add_argument(
        "--gateway",
        choices=["livekit", "in-memory"],
        default="livekit",
        help="where the rooms are; in-memory is a demo without LiveKit",
    )
    return parser


def _flush_output() -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        return _fail(1, f"cannot write to standard output: {error.strerror}")
    return 0


def _fail(status: int, problem: str) -> int:
    with suppress(OSError):
        sys.stderr.write(f"livekit-mute: {problem}\n")
    return status
