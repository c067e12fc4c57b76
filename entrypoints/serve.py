"""The process that serves the REST API: its parts, signals, and the server's lifetime."""

import asyncio
import gc
import os
import resource
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from entrypoints.check.start import announcing
from entrypoints.container import Container
from entrypoints.demo import demo_text, with_demo_tenants
from entrypoints.http.api.keys import ROOM_ACCESS
from entrypoints.http.api.metrics import PATH as METRICS_PATH
from entrypoints.http.app import create_app, create_metrics_app
from entrypoints.http.page.routes import page_routes
from entrypoints.http.server.keys import TRAFFIC
from entrypoints.http.server.listener import serving
from entrypoints.logs import log_loop_error
from entrypoints.observability import Observability, observe
from entrypoints.reload import Reload, reloading
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import Settings, load_settings
from entrypoints.signals import Signals

_DOCUMENT = Path(__file__).parents[1] / "contract"
"""The folder of the API document, of which nothing is imported."""


def run(overrides: Mapping[str, str], *, gateway: GatewayKind) -> int:
    """Serve in this process, with settings from its environment; ``overrides`` take precedence.

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
    # Not closed: that would wait for threads, of a reload or of the resolver, that may be blocked.
    return asyncio.Runner(loop_factory=uvloop.new_event_loop).run(serve(load))


async def serve(load: Callable[[], Settings]) -> int:
    """Serve until SIGTERM or SIGINT, then shut down gracefully, or at once at a second signal.

    Args:
        load: loads the settings, at the start and again at each SIGHUP.

    Returns:
        the exit status.

    Raises:
        SettingsError: a setting is wrong.
        CannotListenError: the address cannot be listened on.
    """
    settings, signals = load(), Signals()
    container = Container(settings=settings)
    seen = observe(container)
    log = seen.log
    asyncio.get_running_loop().set_exception_handler(partial(log_loop_error, log))
    too_few = _raise_nofile_limit(settings.max_descriptors)
    for problem in (*settings.warnings, *seen.tracing.problems, *too_few):
        log.warning("settings warning", problem=problem)
    app = _make_app(container, seen)
    try:
        async with (
            _serving_metrics(seen.serve_metrics, settings) as aside,
            reloading(signals.hangup, _reload(container, load, seen)),
            serving(
                app, host=settings.host, port=settings.port, before_listening=signals.handle
            ) as url,
        ):
            _tune_gc()
            log.info("listening", url=str(url), **_metrics_url(settings, aside or url))
            if settings.gateway == "in-memory":
                _print_to_stdout(demo_text(container, url))
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


def _make_app(container: Container, seen: Observability) -> web.Application:
    settings = container.settings()
    app = create_app(
        open_gateway=container.open_gateway,
        open_authenticator=container.open_authenticator,
        make_access=lambda gateway: container.room_access(gateway=gateway),
        limits=settings.limits,
        trusted_proxies=settings.proxies.trusted,
        begin_trace=seen.tracing.begin,
        observers=seen.observers,
        metrics=seen.serve_metrics if settings.metrics.port == settings.port else None,
    )
    seen.metrics.traffic = app[TRAFFIC]
    if settings.docs_page:
        app.router.add_routes(page_routes(_DOCUMENT))
    return app


def _reload(container: Container, load: Callable[[], Settings], seen: Observability) -> Reload:
    return Reload(
        container=container,
        load=load,
        log=seen.log,
        reopen=seen.audit_log.reopen,
        observer=seen.metrics,
    )


@asynccontextmanager
async def _serving_metrics(handler: Handler, settings: Settings) -> AsyncIterator[URL | None]:
    """Serve metrics on a port of their own while the block runs, if there is to be one."""
    if settings.metrics.port in (None, settings.port):
        yield None
        return
    app = create_metrics_app(handler)
    async with serving(app, host=settings.host, port=settings.metrics.port) as url:
        yield url


def _metrics_url(settings: Settings, url: URL) -> Mapping[str, str]:
    return {} if settings.metrics.port is None else {"metrics_url": f"{url}{METRICS_PATH}"}


def _print_to_stdout(text: str) -> None:
    """Print a text, or go on without it where the pipe is closed or the disk full."""
    with suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()


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
