"""The dashboard's and the rules' queries on a real Prometheus that scrapes the service."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.provoked import provoked
from tests.support.imports import PROJECT
from tests.support.prometheus import PrometheusServer, run_prometheus
from tests.support.timeouts import wait_until

RULES = PROJECT / "deploy/prometheus-rules.yaml"
DASHBOARD = PROJECT / "deploy/grafana-dashboard.json"

NOT_PROVOKED = {
    "LiveKitMuteAuditEventsLost",
    "LiveKitMuteBug",
    "LiveKitMuteKeySetIsOld",
    "LiveKitMuteLogIsSlow",
    "LiveKitMuteSlow",
}
"""Alerts that ``rules_test.yaml`` sets off; here, the left side of their condition has a value."""

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]


def alerts() -> dict[str, str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def panels() -> Iterator[tuple[str, str]]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']}: {target['legendFormat']}", target["expr"]


def healths(prometheus: PrometheusServer) -> dict[str, str]:
    """Return how the last evaluation of each rule went, ``unknown`` before its first."""
    return {rule["name"]: rule["health"] for rule in prometheus.rules()}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        provoked(folder) as target,
        run_prometheus(folder, targets=[target, "127.0.0.1:1"], rules=RULES) as server,
    ):
        yield server


class TestDashboard:
    @pytest.mark.parametrize("expression", [pytest.param(one, id=name) for name, one in panels()])
    def test_shows_something(self, prometheus: PrometheusServer, expression: str) -> None:
        query = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
        prometheus.wait_for(query)

    def test_lists_the_instances(self, prometheus: PrometheusServer) -> None:
        (query,) = (
            each["query"]
            for each in json.loads(DASHBOARD.read_text())["templating"]["list"]
            if each["name"] == "instance"
        )
        match = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
        assert match
        prometheus.wait_for(f'{match[1]}{{{match[2]}!=""}}')


class TestRules:
    @pytest.mark.parametrize("alert", sorted(alerts().keys() - NOT_PROVOKED))
    def test_notice_what_has_happened(self, prometheus: PrometheusServer, alert: str) -> None:
        prometheus.wait_for(f"last_over_time(({alerts()[alert]})[5m:500ms])")

    @pytest.mark.parametrize("alert", sorted(NOT_PROVOKED))
    def test_see_what_they_are_about(self, prometheus: PrometheusServer, alert: str) -> None:
        measured, _, threshold = alerts()[alert].rpartition(" > ")
        float(threshold)
        prometheus.wait_for(measured)

    def test_are_evaluated(self, prometheus: PrometheusServer) -> None:
        prometheus.wait_for('ALERTS{alertname="LiveKitMuteDown"}')
        wait_until(lambda: "unknown" not in healths(prometheus).values())
        assert healths(prometheus) == dict.fromkeys(alerts(), "ok")

    def test_are_valid(self) -> None:
        promtool("check", "rules", str(RULES))

    def test_are_set_off_by_what_they_are_about(self, tmp_path: Path) -> None:
        shutil.copy(RULES, tmp_path)
        shutil.copy(Path(__file__).with_name("rules_test.yaml"), tmp_path)
        promtool("test", "rules", str(tmp_path / "rules_test.yaml"))


def promtool(*arguments: str) -> None:
    done: subprocess.CompletedProcess[Any] = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
