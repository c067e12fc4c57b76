"""The command ``livekit-mute``: its arguments and exit codes."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from entrypoints.http.server.listener import CannotListenError
from entrypoints.serve import run
from entrypoints.settings.environment import SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 after a signal to stop, 1 if it cannot listen, 2 for a wrong setting."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except SettingsError as error:
        return _fail(2, str(error))
    except CannotListenError as error:
        return _fail(1, str(error))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livekit-mute",
        description="Mutes or unmutes one participant's track in a LiveKit room.",
    )
    parser.add_argument("--version", action="version", version=version("livekit-mute"))
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("serve", help="serve the REST API until SIGTERM or Ctrl-C")
    command.set_defaults(run=_run_serve)
    command.add_argument("--host", help="address to listen on; overrides HOST")
    command.add_argument("--port", help="port to listen on, 0 for a free one; overrides PORT")
    command.add_argument(
        "--gateway",
        choices=["livekit", "in-memory"],
        default="livekit",
        help="where the rooms are; in-memory is a demo without LiveKit",
    )
    return parser


def _run_serve(arguments: argparse.Namespace) -> None:
    given = {"HOST": arguments.host, "PORT": arguments.port}
    overrides = {name: value for name, value in given.items() if value}
    run(overrides, gateway=arguments.gateway)


def _fail(status: int, problem: str) -> int:
    sys.stderr.write(f"livekit-mute: {problem}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
