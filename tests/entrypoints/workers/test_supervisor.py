"""What the supervisor does without any worker."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from entrypoints.container import Container
from entrypoints.settings.settings import load_settings
from entrypoints.workers.board import SEATS, Board, Turns
from entrypoints.workers.seat import Service, Sockets
from entrypoints.workers.supervisor import Supervisor


@contextmanager
def supervising(*, workers: int) -> Iterator[Supervisor]:
    settings = load_settings({"WORKERS": str(workers)})
    board = Board()
    supervisor = Supervisor(
        Service(
            container=Container(settings=settings),
            log=structlog.wrap_logger(None, processors=[lambda *_: ""]),
            load=lambda: settings,
            sockets=Sockets(service=(), metrics=()),
            board=board,
            turns=Turns(board=board),
            on_ready=lambda: None,
        )
    )
    yield supervisor
    supervisor.waiting.close()


def test_signals_raise_the_number_of_workers_to_one_for_every_other_seat() -> None:
    with supervising(workers=SEATS // 2 - 1) as supervisor:
        for _ in range(3):
            supervisor.handle_ttin()
        assert supervisor.num_workers == SEATS // 2


def test_a_signal_does_not_take_the_last_worker_away() -> None:
    with supervising(workers=1) as supervisor:
        supervisor.handle_ttou()
        assert supervisor.num_workers == 1


def test_sigquit_ends_with_its_status_and_starts_no_more_workers() -> None:
    with supervising(workers=2) as supervisor:
        with pytest.raises(SystemExit) as ended:
            supervisor.handle_quit()
        assert ended.value.code == 128 + signal.SIGQUIT
        supervisor.manage_workers()
        assert supervisor.WORKERS == {}


def test_another_supervisor_that_has_ended_is_forgotten() -> None:
    with supervising(workers=1) as supervisor:
        supervisor.reexec_pid = os.spawnlp(os.P_NOWAIT, "true", "true")  # noqa: S606 - nothing to quote
        os.waitid(os.P_PID, supervisor.reexec_pid, os.WEXITED | os.WNOWAIT)
        supervisor.reap_workers()
        assert supervisor.reexec_pid == 0
