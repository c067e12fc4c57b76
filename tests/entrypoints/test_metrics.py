"""Metrics of the command, on each port that they can have."""

import re
import signal
import socket
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.command import Run, Running, run
from tests.support.server_process import free_ports


def get(url: str, path: str = "") -> tuple[int, str]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", path or parts.path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def listening(running: Running) -> Mapping[str, object]:
    return next(each for each in running.events if each["event"] == "listening")


def value(metrics: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", metrics, re.MULTILINE)
    assert found, sample
    return float(found[1])


def demo(start: Run, **variables: str) -> Running:
    return start("--gateway", "in-memory", LOG_FORMAT="json", **variables)


class TestMetricsPort:
    def test_is_none_by_default(self, start: Run) -> None:
        running = demo(start)
        assert "metrics_url" not in listening(running)
        assert get(running.url, "/metrics")[0] == 404

    def test_serves_metrics_and_nothing_else(self, start: Run) -> None:
        running = demo(start, METRICS_PORT=str(free_ports(1)[0]))
        url = str(listening(running)["metrics_url"])
        assert not url.startswith(running.url)
        assert get(running.url, "/livez")[0] == 200
        status, metrics = get(url)
        assert status == 200
        assert value(metrics, 'livekit_mute_request_seconds_count{code="OK",path="/livez"}') == 1
        assert get(running.url, "/metrics")[0] == 404
        assert get(url, "/livez")[0] == 404

    def test_may_be_that_of_the_service(self, start: Run) -> None:
        running = demo(start, METRICS_PORT="0")  # and so is PORT
        url = str(listening(running)["metrics_url"])
        assert url == f"{running.url}/metrics"
        assert get(url)[0] == get(url)[0] == 200
        sample = 'livekit_mute_request_seconds_count{code="OK",path="/metrics"}'
        assert value(get(url)[1], sample) == 2

    def test_must_be_free(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = run("serve", "--gateway", "in-memory", "--port", "0", METRICS_PORT=str(port))
        assert done.returncode == 1
        problem = f"cannot listen on 127.0.0.1, port {port}: Address already in use; end what"
        assert problem in done.stderr
        assert "METRICS_PORT" in done.stderr


class TestMetrics:
    def test_tell_of_reloads_and_the_log(self, start: Run, tmp_path: Path) -> None:
        secrets = tmp_path / "secrets.json"
        secrets.write_text('[{"id": "tenant-a", "secret": "s3cret"}]')
        running = demo(start, METRICS_PORT="0", AUTH_API_SECRETS_FILE=str(secrets))
        url = str(listening(running)["metrics_url"])
        before = get(url)[1]
        assert value(before, "livekit_mute_last_reload_successful") == 1
        assert value(before, "livekit_mute_log_wait_seconds_total") > 0
        secrets.write_text("[")
        running.send(signal.SIGHUP)
        running.wait_for("reload failed, keeping the previous settings")
        after = get(url)[1]
        assert value(after, "livekit_mute_last_reload_successful") == 0
        loaded = "livekit_mute_settings_loaded_timestamp_seconds"
        assert value(after, loaded) == value(before, loaded)
        secrets.write_text('[{"id": "tenant-a", "secret": "s3cret"}]')
        running.send(signal.SIGHUP)
        running.wait_for("reloaded")
        repaired = get(url)[1]
        assert value(repaired, "livekit_mute_last_reload_successful") == 1
        assert value(repaired, loaded) > value(before, loaded)
