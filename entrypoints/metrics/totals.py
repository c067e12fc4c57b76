"""The numbers of several processes, added up."""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from operator import add
from typing import cast

from attrs import field, frozen
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

Labels = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Family:
    """A metric of one process, or of several: its values by name and labels."""

    help: str
    type: str
    values: Mapping[tuple[str, Labels], float] = field(repr=False)


Snapshot = Mapping[str, Family]
"""All metrics by their names."""

_COMBINED = {
    "livekit_mute_build_info": max,
    "livekit_mute_last_reload_successful": min,
    "livekit_mute_settings_loaded_timestamp_seconds": max,
    "livekit_mute_upstream_last_ok_timestamp_seconds": max,
    "process_start_time_seconds": min,
    "python_info": max,
}
"""How those are combined that are not added up."""


def snapshot_of(collector: Collector) -> Snapshot:
    """Take all values that there are now."""
    return {
        metric.name: Family(
            help=metric.documentation,
            type=metric.type,
            values={
                (each.name, tuple(each.labels.items())): float(each.value)
                for each in metric.samples
            },
        )
        for metric in collector.collect()
    }


def packed(snapshot: Snapshot) -> bytes:
    """Write a snapshot, for another process."""
    return pickle.dumps(snapshot, pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes) -> Snapshot:
    """Read what ``packed`` has written in a process of our own."""
    return cast("Snapshot", pickle.loads(data))  # noqa: S301


def total(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Add up the values of processes."""
    so_far: dict[str, Family] = {}
    for snapshot in snapshots:
        for name, family in snapshot.items():
            known = so_far.get(name)
            so_far[name] = family if known is None else _combined(name, known, family)
    return so_far


def _combined(name: str, one: Family, other: Family) -> Family:
    combine = _COMBINED.get(name, add)
    values = dict(one.values)
    for key, value in other.values.items():
        values[key] = combine(values[key], value) if key in values else value
    return Family(help=one.help, type=one.type, values=values)


def counted(snapshot: Snapshot) -> Snapshot:
    """Leave out what ends with a process: all but counters and histograms."""
    return {
        name: family for name, family in snapshot.items() if family.type in ("counter", "histogram")
    }


@frozen(eq=False)
class Collected(Collector):
    """Gives a snapshot to prometheus-client."""

    _snapshot: Snapshot

    @override
    def collect(self) -> Iterator[Metric]:
        for name, family in self._snapshot.items():
            metric = Metric(name, family.help, family.type)
            for (sample, labels), value in family.values.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric
