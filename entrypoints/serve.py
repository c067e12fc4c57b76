"""The process that serves the REST API: its parts, signals, and the server's lifetime."""

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial

import uvloop

from entrypoints.check.start import announcing
from entrypoints.container import Container
from entrypoints.demo import demo_text, with_demo_tenants
from entrypoints.http.api.keys import ROOM_ACCESS
from entrypoints.http.server.listener import serving
from entrypoints.logs import log_loop_error
from entrypoints.observability import Observability, observe
from entrypoints.reload import Reload, reloading
from entrypoints.service import (
    make_app,
    metrics_url,
    print_to_stdout,
    raise_nofile_limit,
    serving_metrics,
    tune_gc,
)
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import Settings, load_settings
from entrypoints.signals import Signals


def run(overrides: Mapping[str, str], *, gateway: GatewayKind) -> int:
    """Serve in this process, with settings from its environment; ``overrides`` take precedence.

    With several workers this process is their supervisor.

    Returns:
        the exit status.

    Raises:
        SettingsError: a setting is wrong.
        CannotListenError: the address cannot be listened on.
    """
    variables: Mapping[str, str] = {**os.environ, **overrides}
    if gateway == "in-memory":
        variables = with_demo_tenants(variables)
    load = partial(load_settings, variables, gateway=gateway)
    settings = load()
    if settings.workers > 1:
        from entrypoints.workers.start import supervise  # noqa: PLC0415 - most have no use

        return supervise(settings, load)
    # Not closed: that would wait for threads, of a reload or of the resolver, that may be blocked.
    return asyncio.Runner(loop_factory=uvloop.new_event_loop).run(serve(settings, load))


async def serve(settings: Settings, load: Callable[[], Settings]) -> int:
    """Serve until SIGTERM or SIGINT, then shut down gracefully, or at once at a second signal.

    Args:
        settings: those to begin with.
        load: loads the settings again, at each SIGHUP.

    Returns:
        the exit status.

    Raises:
        SettingsError: a setting is wrong.
        CannotListenError: the address cannot be listened on.
    """
    signals = Signals()
    container = Container(settings=settings)
    seen = observe(container)
    log = seen.log
    asyncio.get_running_loop().set_exception_handler(partial(log_loop_error, log))
    too_few = raise_nofile_limit(settings.max_descriptors)
    for problem in (*settings.warnings, *seen.tracing.problems, *too_few):
        log.warning("settings warning", problem=problem)
    app = make_app(container, seen)
    try:
        async with (
            serving_metrics(seen.serve_metrics, settings) as aside,
            reloading(signals.hangup, _reload(container, load, seen)),
            serving(
                app, host=settings.host, port=settings.port, before_listening=signals.handle
            ) as url,
        ):
            tune_gc()
            log.info("listening", url=str(url), **metrics_url(settings, aside or url))
            if settings.gateway == "in-memory":
                print_to_stdout(demo_text(container, url))
            async with announcing(log, settings, app[ROOM_ACCESS]):
                await signals.wait_for_stop()
            log.info("shutting down")
        await seen.tracing.close()
    except asyncio.CancelledError:
        if not signals.status:
            raise
        log.warning("stopped at once by a second signal")
    finally:
        seen.audit_log.close()
    return signals.status


def _reload(container: Container, load: Callable[[], Settings], seen: Observability) -> Reload:
    return Reload(
        container=container,
        load=load,
        log=seen.log,
        reopen=seen.audit_log.reopen,
        observer=seen.metrics,
    )
