"""The command ``livekit-mute``."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

import uvloop
from yarl import URL

from entrypoints.container import Container
from entrypoints.environment import SettingsError
from entrypoints.http.app import create_app
from entrypoints.http.server import CannotListenError, serving
from entrypoints.logs import make_log
from entrypoints.settings import AuthSettings, Settings, load_settings

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to call to reach us


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 after a stop by signal, 1 where it cannot serve, 2 for wrong settings."""
    arguments = _parser().parse_args(argv)
    given = {"HOST": arguments.host, "PORT": arguments.port}
    variables = {**os.environ, **{name: value for name, value in given.items() if value}}
    try:
        settings = load_settings(variables, gateway=arguments.gateway)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
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
    serve = commands.add_parser("serve", help="serve the REST API until SIGTERM or Ctrl-C")
    serve.add_argument("--host", help="the address to listen on, instead of HOST")
    serve.add_argument("--port", help="the port to listen on, instead of PORT; 0 for a free one")
    serve.add_argument(
        "--gateway",
        choices=["livekit", "in-memory"],
        default="livekit",
        help="where the rooms are; in-memory is a demo without LiveKit",
    )
    return parser


def _fail(status: int, problem: str) -> int:
    sys.stderr.write(f"livekit-mute: {problem}\n")
    return status


async def _serve(settings: Settings) -> None:
    container = Container(settings=settings)
    log = make_log(level=settings.log_level, format_=settings.log_format)
    for warning in settings.warnings:
        log.warning(warning)
    app = create_app(
        open_gateway=container.open_gateway,
        make_mute_track=lambda gateway: container.mute_track(gateway=gateway),
        authenticator=container.authenticator(),
        limits=settings.limits,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(app, host=settings.host, port=settings.port, log=log) as url:
        log.info("listening", url=str(url))
        if settings.gateway == "in-memory":
            sys.stdout.write(_demo_text(container, url, settings.auth))
            sys.stdout.flush()
        await stop.wait()
        log.info("leaving")


def _demo_text(container: Container, url: URL, auth: AuthSettings) -> str:
    demo = container.demo()
    body = json.dumps(
        {
            "room_name": demo.participant.room,
            "participant_identity": demo.participant.identity,
            "track_sid": demo.track_sid,
            "muted": True,
        }
    )
    where = url.with_host(_ANYWHERE.get(url.host or "", url.host or ""))
    token = '-H "Authorization: Bearer $TOKEN" ' if auth.required else ""
    unowned = auth.required and demo.tenant not in auth.tenants.values()
    hint = f" No secret has that id; set AUTH_API_SECRET_ID={demo.tenant}." if unowned else ""
    return (
        f"This is the in-memory demo; no LiveKit is asked. Its room belongs to tenant"
        f" {demo.tenant}.{hint} Try:\n\n"
        f"curl '{where}/livekit/participant/mute' -H 'Content-Type: application/json' {token}"
        f"-d '{body}'\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
