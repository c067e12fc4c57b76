"""The command ``livekit-mute``."""

import argparse
import asyncio
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from traceback import format_tb
from typing import NoReturn

import uvloop
from structlog.typing import FilteringBoundLogger
from yarl import URL

from entrypoints.container import Container
from entrypoints.environment import SettingsError
from entrypoints.http.app import create_app
from entrypoints.http.server import CannotListenError, serving
from entrypoints.logs import make_log, note_fault
from entrypoints.settings import Settings, load_settings

_NOT_RELOADED = "not reloaded; what was set before holds"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to call to reach us


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 after a stop by signal, 1 where it cannot serve, 2 for wrong settings."""
    arguments = _parser().parse_args(argv)
    given = {"HOST": arguments.host, "PORT": arguments.port}
    variables = {**os.environ, **{name: value for name, value in given.items() if value}}
    try:
        load = partial(load_settings, variables, gateway=arguments.gateway)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(load))
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


async def _serve(load: Callable[[], Settings]) -> None:
    stop, hangup = _told_to_stop(), _told_to_reload()
    settings = load()
    container = Container(settings=settings)
    log = make_log(
        level=settings.log_level,
        format_=settings.log_format,
        secrets=lambda: container.settings().secrets,
    )
    asyncio.get_running_loop().set_exception_handler(partial(note_fault, log))
    for warning in (*settings.warnings, *_allow_descriptors(settings.max_descriptors)):
        log.warning(warning)
    app = create_app(
        open_gateway=container.open_gateway,
        open_authenticator=container.open_authenticator,
        make_mute_track=lambda gateway: container.mute_track(gateway=gateway),
        limits=settings.limits,
    )
    reloading = asyncio.create_task(_reload_at(hangup, container, load, log))
    async with serving(app, host=settings.host, port=settings.port, log=log) as url:
        _spare_the_collector()
        log.info("listening", url=str(url))
        if settings.gateway == "in-memory":
            sys.stdout.write(_demo_text(container, url))
            sys.stdout.flush()
        await stop.wait()
        log.info("leaving")
    reloading.cancel()


def _spare_the_collector() -> None:
    """Have garbage looked for among what requests leave, of which little is cyclic, and seldom.

    By default a collection of all that was ever imported stops the service for 40 ms at a time.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def _allow_descriptors(number: int) -> Sequence[str]:
    """Raise the process's own limit, often 1,024, as far as the system lets; warn of less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < number:
        return (f"too few open files for all connections that are set: {most} (ulimit -n)",)
    return ()


def _told_to_stop() -> asyncio.Event:
    """Give what SIGTERM and SIGINT set; a second one ends the process at once, however busy."""
    loop, event, told = asyncio.get_running_loop(), asyncio.Event(), False

    def stop(number: int, _: object) -> None:
        nonlocal told
        if told:
            os._exit(128 + number)
        told = True
        loop.call_soon_threadsafe(event.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return event


def _told_to_reload() -> asyncio.Event:
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, event.set)
    return event


async def _reload_at(
    hangup: asyncio.Event,
    container: Container,
    load: Callable[[], Settings],
    log: FilteringBoundLogger,
) -> NoReturn:
    """Read the files that settings name anew at each signal; if one is wrong, all stay as is."""
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            settings = await asyncio.to_thread(load)
        except SettingsError as error:
            log.error(_NOT_RELOADED, reason=str(error))  # noqa: TRY400 - one line
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end reloading
            log.error(  # noqa: TRY400 - its text may hold anything
                _NOT_RELOADED, reason=type(error).__name__, stack=format_tb(error.__traceback__)
            )
        else:
            container.settings.reset_override()
            container.settings.override(settings)
            log.info("reloaded")


def _demo_text(container: Container, url: URL) -> str:
    demo, auth = container.demo(), container.settings().auth
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
    only_secrets = auth.required and not auth.tokens and not auth.service
    unowned = only_secrets and demo.tenant not in auth.api_secrets.tenants.values()
    hint = f" No secret has that id; set AUTH_API_SECRET_ID={demo.tenant}." if unowned else ""
    return (
        f"This is the in-memory demo; no LiveKit is asked. Its room belongs to tenant"
        f" {demo.tenant}.{hint} Try:\n\n"
        f"curl '{where}/livekit/participant/mute' -H 'Content-Type: application/json' {token}"
        f"-d '{body}'\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
