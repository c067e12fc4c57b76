"""docs/metrics.md against the metrics and the values of their labels."""

import re
from collections.abc import Iterator

import pytest
from attrs import define
from prometheus_client.parser import text_string_to_metric_families

from adapters.http_client.telemetry import NO_TELEMETRY, SERVERS, Attempt, Outcome
from adapters.rates.unknown import Cause, UnknownRates
from entrypoints.http.api.error_responses import ERROR_RESPONSES
from entrypoints.http.limits import Limits
from entrypoints.http.server.traffic import Traffic
from entrypoints.logs import Stderr
from entrypoints.metrics.families import exposition, make_registry
from entrypoints.metrics.metrics import OTHER, PATHS, Metrics
from tests.support.imports import PROJECT

REFERENCE = (PROJECT / "docs/metrics.md").read_text()


@define
class Trail:
    written: int = 1
    lost: int = 2


@pytest.fixture
def exposed() -> str:
    """All metrics, each with a value."""
    metrics = Metrics(limits=Limits(), log=Stderr())
    metrics.traffic, metrics.audit = Traffic(max_in_flight=1), Trail()
    metrics.rates = UnknownRates()
    metrics.requests.add([(("/livez", "OK"), 0.1)])
    for server in SERVERS:
        note = metrics.listen(server, NO_TELEMETRY).ended
        assert note
        note((("Method", Attempt.FIRST, 1), Outcome.OK, 0.0, 0.1))
    return exposition(make_registry(metrics, version="0.1.0")).decode()


def table(beginning: str) -> Iterator[list[str]]:
    """Take the cells of the rows of a table that follows a heading."""
    after = REFERENCE.partition(beginning)[2].partition("\n## ")[0]
    for line in re.findall(r"^\| (.*) \|$", after, re.MULTILINE):
        yield re.split(r"\s*\|\s*", line)


def values_of(label: str) -> set[str]:
    (cell,) = (cells[1] for cells in table("## All values of labels") if cells[0] == label)
    return set(re.findall(r"`([^`]+)`", cell))


class TestMetrics:
    def test_are_all_in_the_reference(self, exposed: str) -> None:
        found = {
            (
                family.name + ("_total" if family.type == "counter" else ""),
                family.type,
                frozenset(name for each in family.samples for name in each.labels) - {"le"},
            )
            for family in text_string_to_metric_families(exposed)
        }
        documented = {
            (name.strip("`"), kind, frozenset(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels, *_ in table("## All metrics")
            if name.startswith("`")
        }
        assert documented == found

    def test_have_documented_values_only(self) -> None:
        assert values_of("`path`") == {*PATHS, OTHER}
        assert values_of("`code`") == {"OK", *(row.code for row in ERROR_RESPONSES.values())}
        assert values_of("`cause`") == {*Cause}
        assert values_of("`reason`") == {*Attempt} - {Attempt.FIRST}
        assert values_of("`outcome` of a call") == {*Outcome} - {Outcome.UNKNOWN}
        assert values_of("`outcome` of a check") <= {*Outcome}
        servers = {*SERVERS} - {"identity"}
        assert values_of("`server`") - {"AUTH_JWKS_URL", "AUTH_SERVICE_URL"} == servers

    def test_are_those_of_the_alerts_and_the_dashboard(self, exposed: str) -> None:
        names = set(re.findall(r"^(?:# TYPE )?(\w+)", exposed, re.MULTILINE))
        for name in ("prometheus-rules.yaml", "grafana-dashboard.json"):
            text = (PROJECT / "deploy" / name).read_text()
            used = set(re.findall(r"\b(?:livekit_mute|process|python)_\w+", text))
            assert used
            assert used - names == set(), name
