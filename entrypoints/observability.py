"""All that watches the service: the log, the audit trail, metrics and traces."""

import os
from collections.abc import Mapping, Sequence
from functools import partial

from aiohttp.typedefs import Handler
from attrs import frozen
from structlog.typing import FilteringBoundLogger

from entrypoints.audit_log import AuditLog, open_audit_log
from entrypoints.container import Container
from entrypoints.http.api.context import Observer
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.observers.audit_trail import audit_trail
from entrypoints.http.observers.request_log import request_log
from entrypoints.http.observers.timing import timing
from entrypoints.logs import Stderr, make_log
from entrypoints.metrics.families import MEDIA_TYPE, exposition
from entrypoints.metrics.metrics import Metrics
from entrypoints.metrics.paced import Paced
from entrypoints.room_container import no_telemetry
from entrypoints.settings.settings import Settings
from entrypoints.tracing.both import both
from entrypoints.tracing.tracing import Tracing, make_tracing
from entrypoints.version import VERSION


@frozen(kw_only=True)
class Observability:
    """What the settings ask for; what they do not ask for is there and does nothing.

    Attributes:
        observers: called for each request.
        serve_metrics: handles ``GET /metrics``.
    """

    log: FilteringBoundLogger
    audit_log: AuditLog
    metrics: Metrics
    tracing: Tracing
    observers: Sequence[Observer]
    serve_metrics: Handler


def observe(container: Container) -> Observability:
    """Configure the process's logging, and let the container's adapters report their calls.

    Raises:
        SettingsError: the file of the audit trail cannot be opened.
    """
    settings, stderr = container.settings(), Stderr()
    secrets = partial(_secrets, container)
    log = make_log(
        level=settings.log_level, format_=settings.log_format, secrets=secrets, stderr=stderr
    )
    audit_log = open_audit_log(settings.audit, log, secrets)
    metrics = Metrics(limits=settings.limits, log=stderr, audit=audit_log)
    tracing = make_tracing(os.environ, urls=_urls(settings), version=VERSION)
    is_metered = settings.metrics.port is not None
    container.telemetry.override(
        both(metrics.telemetry if is_metered else no_telemetry, tracing.telemetry)
    )
    observers = [request_log(log, details=settings.audit.kind != "off"), *tracing.observers]
    if settings.audit.kind in ("stdout", "file"):
        observers.append(audit_trail(audit_log.write))
    if is_metered:
        observers.append(timing(metrics.observe_request))
    return Observability(
        log=log,
        audit_log=audit_log,
        metrics=metrics,
        tracing=tracing,
        observers=observers,
        serve_metrics=metrics_handler(
            Paced(exposition(metrics, version=VERSION)), media_type=MEDIA_TYPE
        ),
    )


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
