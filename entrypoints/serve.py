"""The process that serves the REST API: settings, log, signals, and the server's lifetime."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import uvloop

from entrypoints.container import Container
from entrypoints.demo import demo_text
from entrypoints.http.app import create_app
from entrypoints.http.observers.audit import audit
from entrypoints.http.server.listener import serving
from entrypoints.logs import log_loop_error, make_log
from entrypoints.reload import on_hangup, reload_on
from entrypoints.settings.settings import GatewayKind, Settings, load_settings


def run(overrides: Mapping[str, str], *, gateway: GatewayKind) -> None:
    """Serve in this process, with settings from its environment; ``overrides`` take precedence.

    Raises:
        SettingsError: a setting is wrong.
        CannotListenError: the address cannot be listened on.
    """
    load = partial(load_settings, {**os.environ, **overrides}, gateway=gateway)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(load))


async def serve(load: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT, then shut down gracefully.

    Args:
        load: loads the settings, at the start and again at each SIGHUP.

    Raises:
        SettingsError: a setting is wrong.
        CannotListenError: the address cannot be listened on.
    """
    stop, hangup = _install_stop_handler(), on_hangup()
    settings = load()
    container = Container(settings=settings)
    log = make_log(
        level=settings.log_level,
        format_=settings.log_format,
        secrets=lambda: container.settings().secrets,
    )
    asyncio.get_running_loop().set_exception_handler(partial(log_loop_error, log))
    for problem in (*settings.warnings, *_raise_nofile_limit(settings.max_descriptors)):
        log.warning("settings warning", problem=problem)
    app = create_app(
        open_gateway=container.open_gateway,
        open_authenticator=container.open_authenticator,
        make_access=lambda gateway: container.room_access(gateway=gateway),
        limits=settings.limits,
        observers=[audit(log)],
    )
    reloading = asyncio.create_task(reload_on(hangup, container, load, log))
    async with serving(app, host=settings.host, port=settings.port) as url:
        _tune_gc()
        log.info("listening", url=str(url))
        if settings.gateway == "in-memory":
            sys.stdout.write(demo_text(container, url))
            sys.stdout.flush()
        await stop.wait()
        log.info("shutting down")
    reloading.cancel()


def _tune_gc() -> None:
    """Freeze the objects of the start, and collect seldom: requests leave few cycles.

    By default a full collection over all imported modules stops the service for 40 ms.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def _raise_nofile_limit(wanted: int) -> Sequence[str]:
    """Raise the limit of open files, often 1,024, as far as the system allows; warn if too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        return [f"the limit of open files (ulimit -n) is {allowed}; the settings may need {wanted}"]
    return []


def _install_stop_handler() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; a second one ends the process at once."""
    loop, stop, signalled = asyncio.get_running_loop(), asyncio.Event(), False

    def on_signal(number: int, _: object) -> None:
        nonlocal signalled
        if signalled:
            os._exit(128 + number)
        signalled = True
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop
