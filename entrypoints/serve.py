"""The process that serves the REST API: settings, log, signals, and the server's lifetime."""

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
from entrypoints.http.api.metrics import PATH as METRICS_PATH
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.app import create_app
from entrypoints.http.observers.audit_trail import audit_trail
from entrypoints.http.observers.request_log import request_log
from entrypoints.http.server.listener import serving
from entrypoints.logs import Stderr, log_loop_error, make_log
from entrypoints.metrics.families import MEDIA_TYPE, exposition
from entrypoints.metrics.metrics import Metrics
from entrypoints.reload import reloading
from entrypoints.room_container import no_telemetry
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import Settings, load_settings
from entrypoints.signals import Signals
from entrypoints.tracing.both import both
from entrypoints.tracing.tracing import make_tracing
from entrypoints.version import VERSION

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
    metrics = Metrics(limits=settings.limits, log=(stderr := Stderr()))
    is_metered = settings.metrics.port is not None
    container = Container(settings=settings)
    log = make_log(
        level=settings.log_level,
        format_=settings.log_format,
        secrets=lambda: container.settings().secrets,
        stderr=stderr,
    )
    asyncio.get_running_loop().set_exception_handler(partial(log_loop_error, log))
    tracing = make_tracing(os.environ, urls=_urls(settings), version=VERSION)
    container.telemetry.override(
        both(metrics.telemetry if is_metered else no_telemetry, tracing.telemetry)
    )
    warnings = (*settings.warnings, *tracing.problems)
    for problem in (*warnings, *_raise_nofile_limit(settings.max_descriptors)):
        log.warning("settings warning", problem=problem)
    audit_log = open_audit_log(settings.audit, log, secrets)
    observers = [request_log(log, details=settings.audit.kind != "off")]
    if settings.audit.kind in ("stdout", "file"):
        observers.append(audit_trail(audit_log.write))
    app = create_app(
        open_gateway=container.open_gateway,
        open_authenticator=container.open_authenticator,
        make_access=lambda gateway: container.room_access(gateway=gateway),
        limits=settings.limits,
        trusted_proxies=settings.proxies.trusted,
        begin_trace=tracing.begin,
        observers=[
            audit(log),
            *([timing(metrics.observe_request)] if is_metered else []),
            *tracing.observers,
        ],
        metrics=handler if settings.metrics.port == settings.port else None,
    )
    if settings.docs_page:
        app.router.add_routes(page_routes(_DOCUMENT))
    try:
        async with (
            reloading(signals.hangup, container, load, log, reopen=audit_log.reopen),
            serving(
                app, host=settings.host, port=settings.port, before_listening=signals.handle
            ) as url,
        ):
            _tune_gc()
            log.info("listening", url=str(url), **_metrics_url(settings, aside or url))
            if settings.gateway == "in-memory":
                _print_to_stdout(demo_text(container, url))
            await signals.wait_for_stop()
            log.info("shutting down")
        await tracing.close()
    except asyncio.CancelledError:
        if not signals.status:
            raise
        log.warning("stopped at once by a second signal")
    finally:
        audit_log.close()
    return signals.status


def _secrets(container: Container) -> frozenset[str]:
    return container.settings().secrets


def _urls(settings: Settings) -> Mapping[str, str]:
    """Return the URLs of the servers that are called, by the servers' names in telemetry."""
    urls, auth = {"livekit": settings.livekit.url}, settings.auth
    if auth.tokens:
        urls["key-server"] = auth.tokens.jwks_url
    if auth.service:
        urls["authentication-service"] = auth.service.url
    return urls


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
