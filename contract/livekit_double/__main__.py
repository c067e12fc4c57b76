"""The LiveKit double as a program, with the options of ``livekit-server --dev``."""

import argparse
import asyncio
import signal
import sys
from functools import partial

from aiohttp import web

from contract.livekit_double.control import Control
from contract.livekit_double.double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms

_COMMAND = f"python -m {__package__}"
_SHUTDOWN_TIMEOUT_S = 1.0
"""How long clients may take to finish a request that they have begun."""


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    options = _options()
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        address = f"{options.host}:{options.port}"
        sys.exit(f"{_COMMAND}: cannot listen on {address} (--host, --port): {error.strerror}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="A LiveKit server for tests: its RoomService without media.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, default=7880, help="0 for any that is free")
    parser.add_argument("--api-key", default="devkey", help="the one that access tokens name")
    parser.add_argument("--api-secret", default="secret", help="the one that they are signed with")
    parser.add_argument(
        "--remote-unmute", action="store_true", help="allow unmuting (enable_remote_unmute)"
    )
    return parser.parse_args()


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) in range(65_536):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")


async def _serve(options: argparse.Namespace) -> None:
    new_rooms = partial(LiveKitRooms, remote_unmute=options.remote_unmute)
    double = LiveKitDouble(
        api_key=options.api_key, api_secret=options.api_secret, rooms=new_rooms()
    )
    app = double.app()
    app.router.add_routes(Control(double, new_rooms).routes())
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # LiveKit does not either
        shutdown_timeout=_SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        host, port = runner.addresses[0][:2]
        print(f"http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201 - tells where
        await stopped.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    main()
