"""A real Prometheus as a process of the tests' own, which scrapes the service."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from attrs import define
from typing_extensions import override

from tests.support.server_process import ServerProcess, free_ports, running
from tests.support.timeouts import scaled

_WAIT_S = scaled(60.0)
_POLL_S = 0.2


@define(kw_only=True)
class PrometheusServer(ServerProcess):
    @override
    def is_up(self) -> bool:
        try:
            return self._get("/-/ready")[0] == HTTPStatus.OK
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now; return its samples."""
        status, body = self._get(f"/api/v1/query?{urlencode({'query': expression})}")
        answer = json.loads(body)
        assert (status, answer["status"]) == (HTTPStatus.OK, "success"), (expression, answer)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return [each for each in result if each["value"][1] != "NaN"]

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules, and how their last evaluation went."""
        groups = json.loads(self._get("/api/v1/rules")[1])["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def wait_for(self, *expressions: str) -> None:
        """Wait until each expression has had a sample."""
        deadline, missing = time.monotonic() + _WAIT_S, [*expressions]
        while missing := [each for each in missing if not self.query(each)]:
            assert time.monotonic() < deadline, f"without data: {missing}"
            time.sleep(_POLL_S)

    def _get(self, target: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_WAIT_S)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def run_prometheus(
    folder: Path,
    *,
    targets: Sequence[str],
    rules: Path,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[PrometheusServer]:
    """Run a Prometheus with some rules that scrapes hosts and ports twice a second.

    What it scrapes from a target gets the target's labels.
    """
    configuration = folder / "prometheus.yaml"
    times = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "1s"}
    static = [{"targets": [each], "labels": (labels or {}).get(each, {})} for each in targets]
    job = {"job_name": "livekit-mute", "static_configs": static}
    configuration.write_text(
        json.dumps({"global": times, "rule_files": [str(rules)], "scrape_configs": [job]})
    )

    def configure() -> PrometheusServer:
        port = free_ports(1)[0]
        return PrometheusServer(
            port=port,
            command=[
                "prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
        )

    with running(configure) as server:
        yield server
