"""The start of a service of several workers, up to the fork."""

import gc
import os
from collections.abc import Callable, Sequence
from functools import partial
from socket import socket

from structlog.typing import FilteringBoundLogger
from yarl import URL

from entrypoints.audit_log import verify_audit_log
from entrypoints.check.start import announce
from entrypoints.container import Container
from entrypoints.demo import demo_text
from entrypoints.http.server.listener import bind
from entrypoints.observability import log_of
from entrypoints.service import (
    has_port_for_metrics,
    metrics_url,
    print_to_stdout,
    raise_nofile_limit,
    tune_gc,
)
from entrypoints.settings.settings import Settings
from entrypoints.workers.board import Board, SharedStderr, Turns
from entrypoints.workers.seat import Service, Sockets
from entrypoints.workers.shares import share_of
from entrypoints.workers.supervisor import Supervisor

_DESCRIPTORS = "GUNICORN_FD"
"""The listening sockets of the supervisor that has started this one, at SIGUSR2."""


def supervise(settings: Settings, load: Callable[[], Settings]) -> int:
    """Fork the workers, and keep them running until a signal to stop.

    Returns:
        the exit status.

    Raises:
        SettingsError: the file of the audit trail cannot be opened.
        CannotListenError: the address cannot be listened on.
    """
    board = Board()
    turns = Turns(board=board)
    container = Container(settings=settings)
    log = log_of(container, SharedStderr(turns))
    verify_audit_log(settings.audit)
    sockets = _sockets(settings)
    too_few = raise_nofile_limit(share_of(settings, 0, settings.workers).max_descriptors)
    for problem in (*settings.warnings, *too_few):
        log.warning("settings warning", problem=problem)
    service = Service(
        container=container,
        log=log,
        load=load,
        sockets=sockets,
        board=board,
        turns=turns,
        on_ready=partial(_announce, container, log, sockets),
    )
    supervisor = Supervisor(service)
    gc.collect()
    tune_gc()
    return _run(supervisor)


def _announce(container: Container, log: FilteringBoundLogger, sockets: Sockets) -> None:
    settings = container.settings()
    url = _url(settings, sockets.service)
    aside = _url(settings, sockets.metrics or sockets.service)
    log.info("listening", url=str(url), workers=settings.workers, **metrics_url(settings, aside))
    if settings.gateway == "in-memory":
        print_to_stdout(demo_text(container, url))
    announce(log, settings)


def _run(supervisor: Supervisor) -> int:
    pid = os.getpid()
    try:
        supervisor.run()
    except SystemExit as end:
        if os.getpid() != pid:  # a worker that could not even begin
            os._exit(1)
        return end.code if isinstance(end.code, int) and end.code >= 0 else 1
    return 0


def _sockets(settings: Settings) -> Sockets:
    """Bind sockets, or take over those of the supervisor that has started this one."""
    if inherited := os.environ.pop(_DESCRIPTORS, ""):
        found = [socket(fileno=int(each)) for each in inherited.split(",")]
        port = found[0].getsockname()[1]
        service = [each for each in found if each.getsockname()[1] == port]
        sockets = Sockets(service=service, metrics=[each for each in found if each not in service])
    else:
        sockets = Sockets(
            service=bind(settings.host, settings.port),
            metrics=bind(settings.host, settings.metrics.port or 0)
            if has_port_for_metrics(settings)
            else (),
        )
    for each in (*sockets.service, *sockets.metrics):
        each.set_inheritable(True)
    return sockets


def _url(settings: Settings, bound: Sequence[socket]) -> URL:
    return URL.build(scheme="http", host=settings.host, port=bound[0].getsockname()[1])
