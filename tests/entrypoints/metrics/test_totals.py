"""Numbers of several processes."""

from prometheus_client.parser import text_string_to_metric_families

from entrypoints.http.limits import Limits
from entrypoints.http.server.traffic import Traffic
from entrypoints.logs import Stderr
from entrypoints.metrics.families import Registry, exposition, make_registry
from entrypoints.metrics.metrics import Metrics
from entrypoints.metrics.totals import Collected, Snapshot, counted, snapshot_of, total


def process(*seconds: float, connections: int = 0, reload_is_ok: bool = True) -> Snapshot:
    metrics = Metrics(limits=Limits(max_connections=10), log=Stderr())
    metrics.traffic = Traffic(max_in_flight=1, connections=connections)
    metrics.reload_is_ok = reload_is_ok
    for each in seconds:
        metrics.requests.add([(("/livez", "OK"), each)])
    return snapshot_of(make_registry(metrics, version="0.1.0"))


def exposed(snapshot: Snapshot) -> dict[str, float]:
    registry = Registry()
    registry.register(Collected(snapshot))
    families = text_string_to_metric_families(exposition(registry).decode())
    return {
        each.name + "".join(f",{value}" for _, value in sorted(each.labels.items())): each.value
        for family in families
        for each in family.samples
    }


class TestTotals:
    def test_add_up_what_is_counted(self) -> None:
        found = exposed(total([process(0.002, 0.2), process(0.02)]))
        assert found["livekit_mute_request_seconds_count,OK,/livez"] == 3
        assert found["livekit_mute_request_seconds_bucket,OK,0.025,/livez"] == 2
        assert round(found["livekit_mute_request_seconds_sum,OK,/livez"], 3) == 0.222

    def test_are_of_the_processes_that_live(self) -> None:
        ended = counted(process(0.1, connections=7))
        found = exposed(total([ended, process(0.1, connections=3), process(connections=2)]))
        assert found["livekit_mute_request_seconds_count,OK,/livez"] == 2
        assert found["livekit_mute_connections"] == 5
        assert found["livekit_mute_connections_limit"] == 20

    def test_add_up_nothing_that_is_no_number_of_things(self) -> None:
        found = exposed(total([process(), process(reload_is_ok=False)]))
        assert found["livekit_mute_last_reload_successful"] == 0
        assert found["livekit_mute_build_info,0.1.0"] == 1

    def test_of_one_process_are_its_own(self) -> None:
        one = process(0.1, connections=1)
        assert total([one]) == one
