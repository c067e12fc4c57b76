"""What one process that serves consists of, whether it is the only one or not."""

import gc
import resource
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from socket import socket

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from entrypoints.container import Container
from entrypoints.http.api.metrics import PATH as METRICS_PATH
from entrypoints.http.app import create_app, create_metrics_app
from entrypoints.http.page.routes import page_routes
from entrypoints.http.server.keys import TRAFFIC
from entrypoints.http.server.listener import serving
from entrypoints.observability import Observability
from entrypoints.settings.settings import Settings

_DOCUMENT = Path(__file__).parents[1] / "contract"
"""The folder of the API document, of which nothing is imported."""


def make_app(
    container: Container, seen: Observability, *, unready: Callable[[], str] | None = None
) -> web.Application:
    """Make the application; for ``unready`` see ``create_app``."""
    settings = container.settings()
    app = create_app(
        open_gateway=container.open_gateway,
        open_authenticator=container.open_authenticator,
        make_access=lambda gateway: container.room_access(gateway=gateway),
        open_rate_limiter=container.open_rate_limiter if settings.rates.per_tenant else None,
        failure_limiter=container.failure_limiter() if settings.auth.failure_rate else None,
        limits=settings.limits,
        trusted_proxies=settings.proxies.trusted,
        allowed_origins=settings.cors.origins,
        begin_trace=seen.tracing.begin,
        observers=seen.observers,
        metrics=seen.serve_metrics if settings.metrics.port == settings.port else None,
        unready=unready,
    )
    seen.metrics.traffic = app[TRAFFIC]
    if settings.docs_page:
        app.router.add_routes(page_routes(_DOCUMENT))
    return app


def has_port_for_metrics(settings: Settings) -> bool:
    """Return whether metrics are served on a port of their own."""
    return settings.metrics.port not in (None, settings.port)


@asynccontextmanager
async def serving_metrics(
    handler: Handler, settings: Settings, bound: Sequence[socket] = ()
) -> AsyncIterator[URL | None]:
    """Serve metrics on a port of their own while the block runs, if there is to be one."""
    if not has_port_for_metrics(settings):
        yield None
        return
    app, port = create_metrics_app(handler), settings.metrics.port or 0
    async with serving(app, host=settings.host, port=port, bound=bound) as url:
        yield url


def metrics_url(settings: Settings, url: URL) -> Mapping[str, str]:
    """Return the field of the log that tells where metrics are, if they are anywhere."""
    return {} if settings.metrics.port is None else {"metrics_url": f"{url}{METRICS_PATH}"}


def tune_gc() -> None:
    """Freeze the objects of the start, and collect seldom: requests leave few cycles.

    By default a full collection over all imported modules stops the service for 40 ms.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def raise_nofile_limit(wanted: int) -> Sequence[str]:
    """Raise the limit of open files, often 1,024, as far as the system allows; warn if too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        return [f"the limit of open files (ulimit -n) is {allowed}; the settings may need {wanted}"]
    return []


def print_to_stdout(text: str) -> None:
    """Print a text, or go on without it where the pipe is closed or the disk full."""
    with suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()
