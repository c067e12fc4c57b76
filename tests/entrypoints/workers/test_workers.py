"""``serve --workers``, with real processes and signals."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.entrypoints.workers.processes import (
    SECRETS,
    connected,
    connections_of,
    events,
    get,
    get_once,
    held,
    kill,
    listens,
    metrics,
    mute,
    serve,
    workers_of,
)
from tests.support.command import COMMAND, TIMEOUT_S, Run, Running, run
from tests.support.server_process import free_ports
from tests.support.service import MUTE
from tests.support.timeouts import wait_until

FAILED = "reload failed, keeping the previous settings"
LIVE = 'livekit_mute_request_seconds_count{code="OK",path="/livez"}'

BLOCKING = """
import signal, sys, time
from entrypoints.main import main


def block_here(*_):
    time.sleep(36000)


signal.signal(signal.SIGRTMIN, block_here)
main()
"""


def wait_until_shown(running: Running, name: str, value: float) -> None:
    """Wait for a sample; the numbers of a worker that does not answer soon come later."""
    wait_until(lambda: metrics(running).get(name) == value)


def replaced(running: Running, pids: Sequence[int]) -> bool:
    """Return whether two others are there; a killed worker is there until its end is noted."""
    now = workers_of(running)
    return len(now) == 2 and set(pids).isdisjoint(now)


def stacks_of(running: Running, pid: int) -> list[str]:
    """Return where a worker was blocked, as the log tells it."""
    blocked = events(running, "worker blocked")
    return [str(each["stack"]) for each in blocked if each["pid"] == pid]


def kill_all(running: Running) -> None:
    """Kill all workers, and wait for those that take their places."""
    pids = workers_of(running)
    for pid in pids:
        kill(pid)
    wait_until(lambda: replaced(running, pids))


class TestStart:
    def test_is_told_once_when_all_workers_are_ready(self, start: Run) -> None:
        running = serve(start, workers=3)
        [listening] = events(running, "listening")
        assert listening["workers"] == 3
        assert len(workers_of(running)) == 3
        assert get_once(running.url, "/readyz")[0] == 200
        running.wait_for("configuration")
        assert len(events(running, "configuration")) == 1
        assert len(events(running, "settings warning")) == 0

    def test_of_one_worker_is_one_process_that_loads_no_supervisor(self, start: Run) -> None:
        command = [sys.executable, "-X", "importtime", *COMMAND[1:]]
        running = start("--workers", "1", "--gateway", "in-memory", command=command)
        assert workers_of(running) == []
        assert "gunicorn" not in running.log.read_text()
        assert "uvloop" in running.log.read_text()

    def test_ends_with_2_where_the_audit_trail_cannot_be_written(self) -> None:
        done = run("serve", "--port", "0", WORKERS="2", AUDIT_LOG="/nonexistent/audit")
        assert done.returncode == 2
        assert "AUDIT_LOG" in done.stderr

    def test_ends_with_1_where_the_address_is_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("serve", "--port", str(taken.getsockname()[1]), WORKERS="2")
        assert done.returncode == 1
        assert "cannot listen" in done.stderr


class TestKilledWorker:
    def test_is_replaced_and_leaves_one_event(self, start: Run) -> None:
        running = serve(start)
        pids = workers_of(running)
        for pid in pids:
            kill(pid)
            assert get_once(running.url)[0] == 200
            wait_until(lambda: replaced(running, [pid]))  # noqa: B023
        wait_until(lambda: get_once(running.url, "/readyz")[0] == 200)
        ended = events(running, "worker ended")
        assert [(each["pid"], each["reason"]) for each in ended] == [
            (pid, "SIGKILL") for pid in pids
        ]

    def test_takes_its_supervisor_into_account(self, start: Run) -> None:
        """Without one the workers end, too, and nobody listens."""
        running = serve(start)
        pids = workers_of(running)
        running.process.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))

    def test_that_is_blocked_leaves_its_stack(self, start: Run) -> None:
        command = [sys.executable, "-c", BLOCKING]
        running = serve(start, command=command, REQUEST_TIMEOUT_SECONDS="1")
        pid = workers_of(running)[0]
        os.kill(pid, signal.SIGRTMIN)
        wait_until(lambda: bool(stacks_of(running, pid)))  # a slow machine may tell of others
        assert "block_here" in stacks_of(running, pid)[-1]
        running.wait_for("worker ended")
        wait_until(lambda: len(workers_of(running)) == 2)
        assert get_once(running.url)[0] == 200


class TestRestart:
    def test_replaces_all_workers(self, start: Run) -> None:
        running = serve(start)
        for number in (1, 2):
            pids = workers_of(running)
            running.process.send_signal(signal.SIGUSR1)
            wait_until(lambda: len(events(running, "workers restarted")) == number)  # noqa: B023
            wait_until(lambda: replaced(running, pids))  # noqa: B023
            assert get_once(running.url, "/readyz")[0] == 200
        assert events(running, "worker ended") == []

    @pytest.mark.parametrize(
        ("number", "workers"), [(signal.SIGTTIN, 3), (signal.SIGTTOU, 1)], ids=["more", "fewer"]
    )
    def test_changes_the_number_of_workers_and_splits_the_bounds_anew(
        self, start: Run, number: signal.Signals, workers: int
    ) -> None:
        running = serve(start, METRICS_PORT="0", MAX_CONNECTIONS="100", MAX_IN_FLIGHT="50")
        running.process.send_signal(number)
        running.wait_for("workers restarted")
        wait_until(lambda: len(workers_of(running)) == workers)
        wait_until_shown(running, "livekit_mute_connections_limit", 100)
        wait_until_shown(running, "livekit_mute_requests_in_flight_limit", 50)

    def test_hands_the_sockets_over_to_another_supervisor(self, start: Run) -> None:
        running = serve(start)
        old = running.process.pid
        before = set(workers_of(running))
        running.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: len(events(running, "listening")) == 2)
        assert {each["url"] for each in events(running, "listening")} == {running.url}
        [new] = set(workers_of(running)) - before
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(TIMEOUT_S) == 0
        assert new != old
        try:
            assert get_once(running.url)[0] == 200
        finally:
            os.kill(new, signal.SIGTERM)
        wait_until(lambda: not Path(f"/proc/{new}").exists())


class TestReload:
    def ask(self, running: Running, token: str) -> set[int]:
        """Ask often enough to reach every worker."""
        with held(running.url, 3):
            return {mute(running.url, token) for _ in range(8)}

    def test_reaches_all_workers_and_those_that_are_forked_later(
        self, start: Run, tmp_path: Path
    ) -> None:
        secrets, audit = tmp_path / "secrets", tmp_path / "audit"
        secrets.write_text(SECRETS % "first")
        running = serve(start, AUTH_API_SECRETS_FILE=str(secrets), AUDIT_LOG=str(audit))
        assert self.ask(running, "first") == {200}
        secrets.write_text(SECRETS % "second")
        audit.rename(tmp_path / "audit.1")
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("reloaded")
        assert self.ask(running, "first") == {401}
        assert self.ask(running, "second") == {200}
        [event] = events(running, "reloaded")
        assert event["secrets_added"] == event["secrets_removed"] == 1
        wait_until(lambda: audit.read_text().count("\n") >= 8)
        moved = (tmp_path / "audit.1").read_text()
        kill_all(running)
        assert self.ask(running, "second") == {200}
        assert (tmp_path / "audit.1").read_text() == moved

    def test_keeps_the_old_settings_everywhere_where_a_file_is_invalid(
        self, start: Run, tmp_path: Path
    ) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text(SECRETS % "first")
        running = serve(start, AUTH_API_SECRETS_FILE=str(secrets), METRICS_PORT="0")
        secrets.write_text("[")
        running.process.send_signal(signal.SIGHUP)
        running.wait_for(FAILED)
        assert self.ask(running, "first") == {200}
        assert len(events(running, FAILED)) == 1
        wait_until_shown(running, "livekit_mute_last_reload_successful", 0)

    def test_follows_changes_also_after_the_worker_that_watched_has_gone(
        self, start: Run, tmp_path: Path
    ) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text(SECRETS % "first")
        running = serve(start, AUTH_API_SECRETS_FILE=str(secrets), RELOAD_ON_CHANGE="true")
        for number, token in enumerate(("second", "third"), start=1):
            secrets.write_text(SECRETS % token)
            wait_until(lambda: len(events(running, "reloaded")) == number)  # noqa: B023
            assert self.ask(running, token) == {200}
            kill_all(running)
        assert len(events(running, "reloaded")) == 2

    def test_follows_changes_also_after_a_restart(self, start: Run, tmp_path: Path) -> None:
        """All successors are ready before the worker that watched has ended."""
        secrets = tmp_path / "secrets"
        secrets.write_text(SECRETS % "first")
        running = serve(
            start,
            AUTH_API_SECRETS_FILE=str(secrets),
            RELOAD_ON_CHANGE="true",
            LEAVE_DELAY_SECONDS="2",
        )
        before = workers_of(running)
        running.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: replaced(running, before))
        secrets.write_text(SECRETS % "second")
        running.wait_for("reloaded")
        assert self.ask(running, "second") == {200}
        assert len(events(running, "reloaded")) == 1


class TestEnd:
    def test_is_graceful_and_readiness_fails_in_every_worker(self, start: Run) -> None:
        running = serve(start, LEAVE_DELAY_SECONDS="5")
        with held(running.url, 6) as connections:
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("shutting down")
            assert [get(each, "/readyz")[0] for each in connections] == [503] * 6
        assert running.process.wait(TIMEOUT_S) == 0
        assert len(events(running, "shutting down")) == 1

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_is_immediate_at_the_second_signal(self, start: Run, number: signal.Signals) -> None:
        running = serve(start, DRAIN_TIMEOUT_SECONDS="300", BODY_TIMEOUT_SECONDS="300")
        with connected(running.url) as connection:
            connection.putrequest("POST", MUTE)
            connection.putheader("Authorization", "Bearer demo-secret-a")
            connection.putheader("Content-Length", "100")
            connection.putheader("Content-Type", "application/json")
            connection.endheaders()
            get_once(running.url)
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("shutting down")
            running.process.send_signal(number)
            assert running.process.wait(TIMEOUT_S) == 128 + number
            assert connection.getresponse().status == 503

    def test_is_not_hastened_by_signals_to_the_whole_group(self, start: Run) -> None:
        """As Ctrl-C sends them, and systemd."""
        running = serve(start, command=["setsid", *COMMAND], LEAVE_DELAY_SECONDS="5")
        with held(running.url, 4) as connections:
            os.killpg(running.process.pid, signal.SIGINT)
            running.wait_for("shutting down")
            assert [get(each, "/readyz")[0] for each in connections] == [503] * 4
        assert running.process.wait(TIMEOUT_S) == 0


class TestMetrics:
    def test_are_those_of_all_workers_also_of_those_that_have_ended(self, start: Run) -> None:
        [port] = free_ports(1)
        running = serve(start, METRICS_PORT=str(port))
        with held(running.url, 10):
            wait_until_shown(running, LIVE, 10)
            wait_until_shown(running, "livekit_mute_connections", 10)
        pids = workers_of(running)
        running.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: replaced(running, pids))
        samples = [metrics(running) for _ in range(4)]
        assert {each[LIVE] for each in samples} == {10}
        assert {each["livekit_mute_connections"] for each in samples} == {0}
        assert samples[-1]['livekit_mute_build_info{version="0.1.0"}'] == 1

    def test_never_go_back(self, start: Run) -> None:
        running = serve(start, workers=3, METRICS_PORT="0")
        shown: list[float] = []

        def all_are_shown() -> bool:
            shown.append(metrics(running).get(LIVE, 0))
            return shown[-1] == 10

        for _ in range(10):
            assert get_once(running.url)[0] == 200
            all_are_shown()
        wait_until(all_are_shown)
        assert shown == sorted(shown)

    def test_are_told_by_a_worker_that_leaves(self, start: Run) -> None:
        """The supervisor answers only once the worker has nothing else left to do."""
        [port] = free_ports(1)
        running = serve(start, METRICS_PORT=str(port), LEAVE_DELAY_SECONDS="1")
        [listening] = events(running, "listening")
        url, workers = str(listening["metrics_url"]), workers_of(running)
        running.process.send_signal(signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool, connected(url) as connection:
            scrape = pool.submit(get, connection, "/metrics")
            wait_until(lambda: sum(connections_of(pid, url) for pid in workers) == 1)
            for pid in workers:
                os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not any(listens(pid, url) for pid in workers))
            running.process.send_signal(signal.SIGCONT)
            assert scrape.result()[0] == 200


def test_the_command_shows_the_option() -> None:
    assert "--workers" in run("serve", "--help").stdout
