"""One worker: a process that serves its share, and does what the supervisor says."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NoReturn, cast

import uvloop
from attrs import evolve
from gunicorn.workers.base import Worker

from application.room_access import RoomAccess
from entrypoints.check.start import announcing_livekit
from entrypoints.container import Container
from entrypoints.http.api.keys import ROOM_ACCESS
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.server.keys import TRAFFIC
from entrypoints.http.server.listener import serving
from entrypoints.http.server.traffic import Traffic
from entrypoints.logs import log_loop_error
from entrypoints.metrics.families import MEDIA_TYPE
from entrypoints.metrics.paced import Paced
from entrypoints.observability import Observability, observe
from entrypoints.service import make_app, serving_metrics, tune_gc
from entrypoints.settings.settings import Settings
from entrypoints.workers.asked_totals import AskedTotals
from entrypoints.workers.board import SharedStderr
from entrypoints.workers.channel import Ready
from entrypoints.workers.inbox import Inbox
from entrypoints.workers.seat import Seat
from entrypoints.workers.shares import share_of

AT_ONCE = signal.SIGQUIT
"""Ends a worker as a second signal ends a service of one process."""
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""Some are sent to all processes of a terminal; the supervisor does what they ask for."""


class ServiceWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn forks; ``seat`` is set before."""

    seat: Seat

    def init_process(self) -> NoReturn:
        """Serve, and end the process without Python's finalization."""
        self.notify()
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # nothing has been accepted
        signal.signal(AT_ONCE, lambda *_: os._exit(0))
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, AT_ONCE})
        status = 1
        try:
            runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
            status = runner.run(_serve(self))
        except Exception as error:  # noqa: BLE001 - the supervisor tells that it has ended
            sys.excepthook(type(error), error, error.__traceback__)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, RuntimeError):
                stream.flush()
        os._exit(status)


async def _serve(worker: ServiceWorker) -> int:
    """Serve until SIGTERM or the end of the supervisor, then shut down gracefully."""
    seat, loop, stop = worker.seat, asyncio.get_running_loop(), asyncio.Event()
    settings = share_of(seat.settings, seat.slot, seat.workers)
    container = Container(settings=settings)
    seen, totals = _observe(seat, container)
    loop.set_exception_handler(partial(log_loop_error, seen.log))
    app = make_app(container, seen, unready=seat.board.unready)
    inbox = Inbox(
        seat=seat, notify=worker.notify, container=container, seen=seen, totals=totals, stop=stop
    )
    status = 0
    try:
        async with (
            inbox.open(),  # longer than metrics are served, which need the supervisor's answers
            serving_metrics(seen.serve_metrics, settings, seat.sockets.metrics),
            serving(
                app,
                host=settings.host,
                port=settings.port,
                bound=seat.sockets.service,
                is_turn=partial(_is_turn, seat, app[TRAFFIC], stop),
                before_listening=partial(_handle_signals, stop),
            ),
        ):
            tune_gc()
            inbox.channel.send(Ready())
            async with _announcing(seat, seen, settings, app[ROOM_ACCESS]):
                await stop.wait()
        await seen.tracing.close()
    except asyncio.CancelledError:
        status = 128 + AT_ONCE
    finally:
        seen.audit_log.close()
        inbox.report()
    return status


def _is_turn(seat: Seat, traffic: Traffic, stop: asyncio.Event, arriving: int) -> bool:
    """Return whether to accept a connection; a worker that leaves alone does so no more."""
    if stop.is_set() and not seat.board.stopping:
        seat.board.leave(seat.number)  # or else others would wait for its turn
        return False
    return seat.board.is_turn(seat.number, traffic.connections + arriving)


def _handle_signals(stop: asyncio.Event) -> None:
    loop, task = asyncio.get_running_loop(), cast("asyncio.Task[int]", asyncio.current_task())
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(AT_ONCE, task.cancel)


def _observe(seat: Seat, container: Container) -> "tuple[Observability, AskedTotals]":
    """Observe as one process does, but write in turn, and serve the metrics of all workers."""
    seen = observe(container, stderr=SharedStderr(seat.turns), write=seat.turns.write)
    seen.metrics.reload_is_ok, seen.metrics.loaded_s = seat.reload_is_ok, seat.loaded_s
    totals = AskedTotals(seat.own_end, seen.registry)
    paced = Paced(totals.written, prepare=totals.ask)
    handler = metrics_handler(paced, media_type=MEDIA_TYPE)
    return evolve(seen, serve_metrics=handler), totals


@asynccontextmanager
async def _announcing(
    seat: Seat, seen: Observability, settings: Settings, access: RoomAccess
) -> AsyncIterator[None]:
    """Log for all workers, if this is the first one, what only a worker can find out."""
    if not seat.is_first:
        yield
        return
    for problem in seen.tracing.problems:
        seen.log.warning("settings warning", problem=problem)
    async with announcing_livekit(seen.log, settings, access):
        yield
