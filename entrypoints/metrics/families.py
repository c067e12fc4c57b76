"""The metrics by their names, as Prometheus gets them; ``docs/metrics.md`` lists them.

They are those of one process; ``entrypoints.metrics.totals`` adds up those of several.
"""

import time
from collections.abc import Iterator

from attrs import frozen
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from adapters.http_client.telemetry import Attempt
from adapters.rates.unknown import Cause, UnknownRates
from entrypoints.http.limits import Limits
from entrypoints.http.server.traffic import Traffic
from entrypoints.metrics.metrics import AuditTrail, Metrics

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Registry = CollectorRegistry


def make_registry(metrics: Metrics, *, version: str) -> Registry:
    """Make a registry of these metrics, and of the process's own."""
    registry = process_registry()
    registry.register(_Families(metrics, version))
    return registry


def process_registry() -> Registry:
    """Make a registry of the metrics that every process has."""
    registry = Registry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def exposition(registry: Registry) -> bytes:
    """Write out all metrics, in Prometheus' text format."""
    return generate_latest(registry)


@frozen
class _Families(Collector):
    _metrics: Metrics
    _version: str

    @override
    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        metrics.count()
        for histogram in (metrics.requests, metrics.calls, metrics.checks, metrics.rooms):
            yield histogram.family()
        yield from _of_servers(metrics)
        if metrics.traffic is not None:
            yield from _of_traffic(metrics.traffic, metrics.limits)
        if metrics.audit is not None:
            yield _of_audit(metrics.audit)
        if metrics.rates is not None:
            yield _of_rates(metrics.rates)
        yield from _of_process(metrics, self._version)


def _of_servers(metrics: Metrics) -> Iterator[Metric]:
    retries = CounterMetricFamily(
        "livekit_mute_upstream_retries", "Calls made again.", labels=("server", "reason")
    )
    connections = GaugeMetricFamily(
        "livekit_mute_upstream_connections",
        "Connections to other servers, open or being opened.",
        labels=("server",),
    )
    last_ok = GaugeMetricFamily(
        "livekit_mute_upstream_last_ok_timestamp_seconds",
        "When a call last succeeded.",
        labels=("server",),
    )
    for server, calls in metrics.servers.items():
        if calls.last_ok is not None:
            last_ok.add_metric((server,), time.time() - time.perf_counter() + calls.last_ok)
        connections.add_metric((server,), calls.open_connections)
    for reason in Attempt:
        if reason is not Attempt.FIRST:
            retries.add_metric(("livekit", reason), metrics.servers["livekit"].retries[reason])
    yield from (retries, connections, last_ok)


def _of_traffic(traffic: Traffic, limits: Limits) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "livekit_mute_requests_in_flight", "Requests begun and not answered.", traffic.in_flight
    )
    yield GaugeMetricFamily(
        "livekit_mute_requests_in_flight_limit", "MAX_IN_FLIGHT.", limits.max_in_flight
    )
    yield GaugeMetricFamily(
        "livekit_mute_connections", "Connections of clients.", traffic.connections
    )
    yield GaugeMetricFamily(
        "livekit_mute_connections_limit", "MAX_CONNECTIONS.", limits.max_connections
    )
    yield CounterMetricFamily(
        "livekit_mute_connections_refused",
        "Connections of clients that were closed without an answer.",
        traffic.refused_connections,
    )


def _of_audit(audit: AuditTrail) -> Metric:
    events = CounterMetricFamily(
        "livekit_mute_audit_events", "Events of the audit trail.", labels=("result",)
    )
    events.add_metric(("written",), audit.written)
    events.add_metric(("lost",), audit.lost)
    return events


def _of_rates(rates: UnknownRates) -> Metric:
    passed = CounterMetricFamily(
        "livekit_mute_rate_unknown_requests",
        "Requests that passed because Redis did not tell their rate.",
        labels=("cause",),
    )
    for cause in Cause:
        passed.add_metric((cause,), rates.passed[cause])
    return passed


def _of_process(metrics: Metrics, version: str) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "livekit_mute_log_wait_seconds",
        "Seconds spent writing the log, while nothing else runs.",
        metrics.log.waited_s,
    )
    yield GaugeMetricFamily(
        "livekit_mute_last_reload_successful",
        "Whether the settings could be loaded the last time: 1 or 0.",
        float(metrics.reload_is_ok),
    )
    yield GaugeMetricFamily(
        "livekit_mute_settings_loaded_timestamp_seconds",
        "When the settings in use were loaded.",
        metrics.loaded_s,
    )
    info = GaugeMetricFamily("livekit_mute_build_info", "The version.", labels=("version",))
    info.add_metric((version,), 1)
    yield info
