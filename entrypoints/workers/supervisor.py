"""The process that forks the workers, keeps their number, and handles signals."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from attrs import evolve
from gunicorn.arbiter import Arbiter
from typing_extensions import override

from entrypoints.reload import Reload
from entrypoints.workers.board import SEATS
from entrypoints.workers.channel import (
    Ask,
    Changed,
    Channel,
    Message,
    Numbers,
    Prepared,
    Ready,
    Watch,
)
from entrypoints.workers.configuration import Configuration
from entrypoints.workers.gathering import Gathering
from entrypoints.workers.reloads import Reloads
from entrypoints.workers.seat import Seat, Service
from entrypoints.workers.waiting import Waiting
from entrypoints.workers.worker import AT_ONCE, ServiceWorker

_MIN_BLOCKED_S = 5.0
_GRACE_S = 5.0
"""Beyond the times of the settings, until a worker that has been told to end is killed."""
_AT_ONCE_S = 3.0
_LAST_RESORT_S = 4.0
_AS_ONE_S = 0.01
_FORK_PAUSE_S = 1.0
_START_S = 60.0
_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Supervisor(Arbiter):  # type: ignore[misc]
    """gunicorn's arbiter with signals, reloads, restarts and readiness of ours.

    It keeps one worker for each slot. A restart replaces the workers of the older generation one by
    one: the old one is told to leave once the new one is ready.
    """

    def __init__(self, service: Service) -> None:
        settings = service.container.settings()
        limits = settings.limits
        self._service, self._log, self._board = service, service.log, service.board
        self._blocked_s = max(_MIN_BLOCKED_S, limits.request_timeout_s)
        self._leave_s = limits.leave_delay_s + limits.drain_timeout_s + _GRACE_S
        self.waiting = Waiting()
        self._gathering = Gathering(ready=self._ready, later=self.waiting.after)
        self.reload_is_ok, self.loaded_s = True, time.time()
        self._reloads = self._make_reloads()
        self._generation = self._slot = 0
        self._no_forks_until = 0.0
        self._was_complete = self._restarting = self._stopping = False
        self._watcher: Seat | None = None
        self.WORKERS: dict[int, ServiceWorker] = {}
        super().__init__(
            Configuration(
                workers=settings.workers,
                before_fork=self._before_fork,
                in_child=self._in_child,
            )
        )
        self.reexec_pid: int
        self.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]  # "-m" is not in sys.argv
        self.LISTENERS = [*service.sockets.service, *service.sockets.metrics]

    def _make_reloads(self) -> Reloads:
        container = self._service.container
        return Reloads(
            reload=Reload(
                container=container,
                load=self._service.load,
                log=self._log,
                reopen=lambda: None,  # the workers have the files
                observer=self,
            ),
            channels=lambda: [seat.other_end for seat in self._seats()],
            wake_up=self.waiting.wake_up,
            later=self.waiting.after,
            patience_s=self._blocked_s + _GRACE_S,
            known=container.settings().files,
        )

    # Forks.

    def _before_fork(self, _: object, worker: ServiceWorker) -> None:
        own, other = Channel.pair()
        taken = {seat.number for seat in self._seats()}
        number = next(each for each in range(1, SEATS) if each not in taken)
        worker.seat = Seat(
            number=number,
            slot=self._slot,
            workers=self.num_workers,
            generation=self._generation,
            is_first=worker.age == 1,
            settings=self._service.container.settings(),
            reload_is_ok=self.reload_is_ok,
            loaded_s=self.loaded_s,
            sockets=self._service.sockets,
            board=self._board,
            turns=evolve(self._service.turns, seat=number),
            own_end=own,
            other_end=other,
            stack_after_s=self._blocked_s / 2,  # well before it is read
        )

    def _in_child(self, _: object, worker: ServiceWorker) -> None:
        """Close what only the supervisor needs; a worker notices its end by that."""
        worker.seat.other_end.close()
        for seat in self._seats():
            seat.close()
        self.waiting.close()

    def _spawn(self, slot: int) -> None:
        if len(self.WORKERS) + 1 >= SEATS:
            return  # until some that leave have ended
        self._slot = slot
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, AT_ONCE})  # until it handles them
        pid = self.spawn_worker()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, AT_ONCE})
        seat = self.WORKERS[pid].seat
        seat.own_end.close()
        self.waiting.add(seat)
        self._reloads.joined(seat.other_end)

    def _seats(self) -> Iterator[Seat]:
        return (worker.seat for worker in self.WORKERS.values())

    def _ready(self) -> Iterator[Seat]:
        return (seat for seat in self._seats() if seat.ready)

    def _active(self) -> Sequence[Seat]:
        return [seat for seat in self._seats() if not seat.leaving]

    @override
    def manage_workers(self) -> None:
        """Fork what is missing, and one successor at a time; tell those beyond the number to go."""
        if self._stopping or time.monotonic() < self._no_forks_until:
            return
        active = self._active()
        for seat in active:
            if seat.slot >= self.num_workers:
                self._leave(seat)
        slots = {seat.slot for seat in active}
        for slot in range(self.num_workers):
            if slot not in slots:
                self._spawn(slot)
        outdated = [seat for seat in self._active() if seat.generation < self._generation]
        if outdated and all(seat.ready for seat in self._active()):
            self._spawn(outdated[0].slot)
        elif self._restarting and not outdated:
            self._restarting = False
            self._log.info("workers restarted", workers=self.num_workers)
        self._note_completeness()

    def _note_completeness(self) -> None:
        ready = {seat.slot for seat in self._active() if seat.ready}
        complete = len(ready) >= self.num_workers
        self._board.incomplete = not complete
        if complete and not self._was_complete:
            self._was_complete = True
            self._service.on_ready()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def _restart(self) -> None:
        self._generation += 1
        self._restarting = True
        self._log.info("restarting workers", workers=self.num_workers)

    def _leave(self, seat: Seat) -> None:
        seat.leaving = True
        self._board.leave(seat.number)
        pid = self._pid_of(seat)
        self.kill_worker(pid, signal.SIGTERM)
        self.waiting.after(self._leave_s, partial(self._kill_if_it_stays, pid, seat))

    def _kill_if_it_stays(self, pid: int, seat: Seat) -> None:
        if self.WORKERS.get(pid) and self.WORKERS[pid].seat is seat:
            self.kill_worker(pid, signal.SIGKILL)

    def _pid_of(self, seat: Seat) -> int:
        return next(pid for pid, worker in self.WORKERS.items() if worker.seat is seat)

    # Ends.

    @override
    def reap_workers(self) -> None:
        """Note which children have ended."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self.reexec_pid:
                    self.reexec_pid = 0
                elif pid in self.WORKERS:
                    self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, status: int) -> None:
        worker = self.WORKERS[pid]
        seat = worker.seat
        self._receive(seat)
        del self.WORKERS[pid]
        self.waiting.remove(seat)
        self._gathering.ended(seat)
        self._reloads.gone(seat.other_end)
        seat.close()
        self._board.leave(seat.number)
        self._board.note_writing(seat.number, writing=False)
        worker.tmp.close()
        if not (seat.leaving or self._stopping):
            reason = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            if status:
                self._log.error("worker ended", pid=pid, reason=reason)
            else:  # somebody has sent it a signal to stop
                self._log.info("worker ended", pid=pid, reason=reason)
            self._after_unwanted_end(seat)
        elif status < 0 and not self._stopping:
            self._log.error("worker killed, it had not ended in time", pid=pid)
        if self._watcher is seat:
            self._watcher = None
            self._choose_watcher()
        self._note_completeness()

    def _after_unwanted_end(self, seat: Seat) -> None:
        if seat.ready:
            return
        if not self._was_complete:
            self._finish(0, status=1)
        self._no_forks_until = time.monotonic() + _FORK_PAUSE_S

    @override
    def murder_workers(self) -> None:
        """Kill workers whose event loop is blocked, and log where."""
        now = time.monotonic()
        for pid, worker in list(self.WORKERS.items()):
            seat = worker.seat
            blocked = now - worker.tmp.last_update() > self._blocked_s
            stuck = not seat.ready and now - seat.began_s > max(_START_S, self._blocked_s)
            if seat.told and not blocked:
                seat.told = False
            if not (blocked or stuck) or self._board.is_writing(seat.number):
                continue
            if not seat.told:  # the log's reader may be what all wait for: look again afterwards
                seat.told = True
                self._log.error("worker blocked", pid=pid, stack=list(seat.stack_lines()))
            else:
                self.kill_worker(pid, signal.SIGKILL)

    # Messages.

    @override
    def wait_for_signals(self, timeout: float = 1.0) -> Sequence[int]:
        """Wait for signals, messages, or what is to be done later."""
        for seat in self.waiting.wait(timeout):
            self._receive(seat)
        self._reloads.go_on()
        found = list[int]()
        while not self.SIG_QUEUE.empty():
            found.append(self.SIG_QUEUE.get())
        return found

    def _receive(self, seat: Seat) -> None:
        with suppress(EOFError):
            while (message := seat.other_end.receive()) is not None:
                self._hear(seat, message)

    def _hear(self, seat: Seat, message: Message) -> None:
        match message:
            case Ready():
                seat.ready = True
                for old in self._active():
                    if old.slot == seat.slot and old.generation < seat.generation:
                        self._leave(old)
                self._note_completeness()
            case Prepared(number):
                self._reloads.prepared(seat.other_end, number)
            case Changed():
                self._reloads.begin()
            case Numbers(numbers, question):
                self._gathering.heard(seat, numbers, question)
            case Ask(numbers, question):
                self._gathering.asked(seat, numbers, question)
            case _:
                pass  # for workers
        self._choose_watcher()

    def _choose_watcher(self) -> None:
        settings = self._service.container.settings()
        if self._watcher is None and settings.reload_on_change:
            for seat in self._active():
                if seat.ready and seat.other_end.send(Watch(self._reloads.known)):
                    self._watcher = seat
                    return

    def reloaded(self, *, ok: bool) -> None:
        """Note, for workers that are forked later, whether the settings could be loaded."""
        self.reload_is_ok = ok
        if ok:
            self.loaded_s = time.time()

    # Signals.

    @override
    def init_signals(self) -> None:
        """Let every signal wake the main loop."""
        self.waiting.let_signals_wake()
        super().init_signals()

    @override
    def signal(self, sig: int, frame: object) -> None:
        """Queue it; from a signal to stop on nobody is told that the service is ready."""
        if sig in _STOP:
            self._board.stop()
            if self._stopping and not signal.getitimer(signal.ITIMER_REAL)[0]:
                signal.signal(signal.SIGALRM, lambda *_: self._end_at_last(128 + sig))
                signal.setitimer(signal.ITIMER_REAL, _LAST_RESORT_S)
        super().signal(sig, frame)

    def _end_at_last(self, status: int) -> NoReturn:
        """End everything though the main loop is blocked, by the log for instance."""
        for pid in self.WORKERS:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        os._exit(status)

    @override
    def handle_term(self) -> None:
        self._finish(self._leave_s)

    handle_int = handle_term

    @override
    def handle_quit(self) -> None:
        self._finish(0, status=128 + signal.SIGQUIT)

    @override
    def handle_hup(self) -> None:
        self._reloads.begin()

    @override
    def handle_usr1(self) -> None:
        self._restart()

    @override
    def handle_ttin(self) -> None:
        if self.num_workers < SEATS // 2:  # each may have a successor
            self.num_workers += 1
            self._restart()

    @override
    def handle_ttou(self) -> None:
        if self.num_workers > 1:
            self.num_workers -= 1
            self._restart()

    def _finish(self, within_s: float, *, status: int = 0) -> NoReturn:
        """Tell all workers to end, wait for them, and end.

        Raises:
            SystemExit: always, with the exit status.
        """
        self._stopping = True
        self._board.stop()
        time.sleep(_AS_ONE_S)  # make and timeout send two signals
        self.wait_for_signals(0)
        if self._was_complete:
            self._log.info("shutting down")
        for each in self.LISTENERS:
            each.close()
        self.kill_workers(signal.SIGTERM if within_s else AT_ONCE)
        due = time.monotonic() + (within_s or _AT_ONCE_S)
        while self.WORKERS and (left_s := due - time.monotonic()) > 0:
            for number in self.wait_for_signals(min(left_s, 0.2)):
                if number in _STOP and not status:
                    status = 128 + number
                    self._log.warning("stopped at once by a second signal")
                    self.kill_workers(AT_ONCE)
                    due = min(due, time.monotonic() + _AT_ONCE_S)
            self.reap_workers()
        self.kill_workers(signal.SIGKILL)
        raise SystemExit(status)
