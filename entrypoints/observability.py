"""All that watches the service: the log, the audit trail, metrics and traces."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aiohttp.typedefs import Handler
from attrs import frozen
from structlog.typing import FilteringBoundLogger

from adapters.http_client.telemetry import TelemetryOf
from entrypoints.audit_log import AuditLog, open_audit_log
from entrypoints.container import Container
from entrypoints.http.api.context import Observer
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.observers.audit_trail import audit_trail
from entrypoints.http.observers.request_log import request_log
from entrypoints.logs import Stderr, make_log
from entrypoints.metrics.families import MEDIA_TYPE, Registry, exposition, make_registry
from entrypoints.metrics.metrics import Metrics
from entrypoints.metrics.paced import Paced
from entrypoints.settings.settings import Settings
from entrypoints.tracing.tracing import Tracing, make_tracing
from entrypoints.version import VERSION


@frozen(kw_only=True)
class Observability:
    """What the settings ask for; what they do not ask for is there and does nothing.

    Attributes:
        observers: called for each request.
        registry: all metrics of this process.
        serve_metrics: handles ``GET /metrics``.
    """

    log: FilteringBoundLogger
    audit_log: AuditLog
    metrics: Metrics
    tracing: Tracing
    observers: Sequence[Observer]
    registry: Registry
    serve_metrics: Handler


def log_of(container: Container, stderr: Stderr) -> FilteringBoundLogger:
    """Configure the process's logging as the settings say."""
    settings, secrets = container.settings(), partial(_secrets, container)
    return make_log(
        level=settings.log_level, format_=settings.log_format, secrets=secrets, stderr=stderr
    )


def observe(
    container: Container,
    *,
    stderr: Stderr | None = None,
    write: Callable[[int, bytes], int] = os.write,
) -> Observability:
    """Configure the process's logging, and let the container's adapters report their calls.

    Args:
        container: the program.
        stderr: where the log is written.
        write: writes the audit trail, see ``open_audit_log``.

    Raises:
        SettingsError: the file of the audit trail cannot be opened.
    """
    settings, stderr = container.settings(), stderr or Stderr()
    log = log_of(container, stderr)
    audit_log = open_audit_log(settings.audit, log, partial(_secrets, container), write)
    metrics = Metrics(
        limits=settings.limits,
        log=stderr,
        audit=audit_log,
        rates=container.unknown_rates() if settings.rates.storage_url else None,
    )
    tracing = make_tracing(os.environ, urls=_urls(settings), version=VERSION)
    is_metered = settings.metrics.port is not None
    container.telemetry.override(
        _counted(metrics, tracing.telemetry) if is_metered else tracing.telemetry
    )
    observers = [request_log(log, details=settings.audit.kind != "off"), *tracing.observers]
    if settings.audit.kind in ("stdout", "file"):
        observers.append(audit_trail(audit_log.write))
    if is_metered:
        observers.append(metrics.observe_request)
    registry = make_registry(metrics, version=VERSION)
    return Observability(
        log=log,
        audit_log=audit_log,
        metrics=metrics,
        tracing=tracing,
        observers=observers,
        registry=registry,
        serve_metrics=metrics_handler(Paced(partial(exposition, registry)), media_type=MEDIA_TYPE),
    )


def _counted(metrics: Metrics, telemetry_of: TelemetryOf) -> TelemetryOf:
    return lambda server: metrics.listen(server, telemetry_of(server))


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
