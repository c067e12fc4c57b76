"""The rule of prometheus-adapter on a real Prometheus that scrapes two replicas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_kubernetes import ADAPTER
from tests.deploy.test_prometheus import RULES
from tests.robustness.clients import MUTE_ALICE, Client, slow_livekit
from tests.support.command import Run
from tests.support.prometheus import run_prometheus
from tests.support.server_process import free_ports
from tests.support.timeouts import HOUR_S

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(300)]

NAMESPACE = "livekit-mute"
HELD = 3


def adapter_query(series: str) -> str:
    """Fill in the rule's template as prometheus-adapter 0.12.0 does, for pods of the namespace."""
    (rule,) = yaml.safe_load(ADAPTER.read_text())["rules"]
    by_resource = {
        each["resource"]: label for label, each in rule["resources"]["overrides"].items()
    }
    matchers = f'{by_resource["namespace"]}="{NAMESPACE}",{by_resource["pod"]}=~"busy|idle"'
    query: str = rule["metricsQuery"]
    values = {"Series": series, "LabelMatchers": matchers, "GroupBy": by_resource["pod"]}
    for name, value in values.items():
        query = query.replace(f"<<.{name}>>", value)
    return query


@asynccontextmanager
async def held_requests(start: Run, port: int) -> AsyncIterator[None]:
    """Run a replica that waits for LiveKit with HELD requests."""
    async with AsyncExitStack() as stack:
        livekit = await stack.enter_async_context(slow_livekit(HOUR_S))
        url = start(**livekit, METRICS_PORT=str(port)).url
        for _ in range(HELD):
            client = await stack.enter_async_context(Client.connected(url))
            client.send(MUTE_ALICE)
        yield


class TestRule:
    async def test_tells_the_requests_in_flight_of_each_pod(
        self, start: Run, tmp_path: Path
    ) -> None:
        ports = dict(zip(("busy", "idle"), free_ports(2), strict=True))
        labels = {
            f"127.0.0.1:{port}": {"namespace": NAMESPACE, "pod": pod} for pod, port in ports.items()
        }
        start("--gateway", "in-memory", METRICS_PORT=str(ports["idle"]))
        async with held_requests(start, ports["busy"]):
            with run_prometheus(tmp_path, targets=[*labels], rules=RULES, labels=labels) as server:
                (rule,) = yaml.safe_load(ADAPTER.read_text())["rules"]
                found = rule["seriesQuery"]
                await asyncio.to_thread(server.wait_for, f"count({found}) == 2")
                query = adapter_query(found.partition("{")[0])
                await asyncio.to_thread(server.wait_for, f"({query}) > {HELD - 1}")
                values = {
                    each["metric"]["pod"]: float(each["value"][1]) for each in server.query(query)
                }
        assert values.keys() == {"busy", "idle"}
        assert HELD - 1 < values["busy"] <= HELD
        assert values["idle"] == 0
