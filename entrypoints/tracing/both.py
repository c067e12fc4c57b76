"""Metrics and traces of the same calls."""

from collections.abc import Mapping, Sequence

from attrs import frozen
from typing_extensions import override

from adapters.http_client.telemetry import (
    NO_TELEMETRY,
    Attempt,
    Outcome,
    Report,
    Telemetry,
    TelemetryOf,
)

_FIRST = Attempt.FIRST


def both(counts: TelemetryOf, traces: TelemetryOf) -> TelemetryOf:
    """Tell both of every call; the headers to send are those of the traces."""

    def telemetry_of(server: str) -> Telemetry:
        counted, traced = counts(server), traces(server)
        if NO_TELEMETRY in (counted, traced):
            return traced if counted is NO_TELEMETRY else counted
        return _Both(counted, traced)

    return telemetry_of


@frozen
class _Both(Telemetry):
    _counts: Telemetry
    _traces: Telemetry

    @override
    def begin(self, method: str, *, attempt: Attempt = _FIRST, rooms: int = 0) -> Report:
        counted = self._counts.begin(method, attempt=attempt, rooms=rooms)
        traced = self._traces.begin(method, attempt=attempt, rooms=rooms)
        return counted if traced is NO_TELEMETRY else _BothReports(counted, traced)

    @override
    def current(self) -> object:
        return self._traces.current()

    @override
    def share(self, origins: Sequence[object]) -> None:
        self._traces.share(origins)

    @override
    def connections(self, number: int) -> None:
        self._counts.connections(number)


@frozen
class _BothReports(Report):
    _counted: Report
    _traced: Report

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        return self._traced.headers

    @override
    def end(self, outcome: Outcome) -> None:
        self._counted.end(outcome)
        self._traced.end(outcome)
