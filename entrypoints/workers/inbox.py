"""What a worker hears from the supervisor."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import NoReturn

from attrs import define, field

from entrypoints.container import Container
from entrypoints.metrics.totals import packed, snapshot_of, unpacked
from entrypoints.observability import Observability
from entrypoints.reload import replace
from entrypoints.settings.files import FileVersions
from entrypoints.settings.settings import Settings
from entrypoints.watch import set_on_change
from entrypoints.workers.asked_totals import AskedTotals
from entrypoints.workers.channel import (
    Abort,
    Changed,
    Channel,
    Commit,
    Message,
    Numbers,
    Prepare,
    Prepared,
    Reopen,
    Report,
    Totals,
    Watch,
)
from entrypoints.workers.seat import Seat
from entrypoints.workers.shares import share_of

_HEARTBEAT_S = 1.0
_BEATS_OF_A_REPORT = 2


@define(kw_only=True, eq=False)
class Inbox:
    """Does what the supervisor says, and shows it that the event loop runs.

    Attributes:
        seat: the worker's.
        notify: notes the time for the supervisor, which kills a worker that does so no more.
        container: the worker's program, with its share of the settings.
        seen: what observes it.
        totals: is given the numbers of all workers.
        stop: set when the supervisor is gone.
    """

    seat: Seat
    notify: Callable[[], None]
    container: Container
    seen: Observability
    totals: AskedTotals
    stop: asyncio.Event
    _prepared: dict[int, Settings] = field(init=False, factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(init=False, factory=set)

    @property
    def channel(self) -> Channel:
        """The worker's end."""
        return self.seat.own_end

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Receive messages while the block runs."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.channel.fileno(), self._receive)
        self._begin(self._beat())
        try:
            yield
        finally:
            loop.remove_reader(self.channel.fileno())
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def report(self, question: int | None = None) -> None:
        """Tell the numbers of this worker, if anybody wants to know them."""
        if self.container.settings().metrics.port is not None:
            self.channel.send(Numbers(packed(snapshot_of(self.seen.registry)), question))

    async def _beat(self) -> NoReturn:
        while True:
            for _ in range(_BEATS_OF_A_REPORT):
                self.notify()
                self.seat.arm()
                await asyncio.sleep(_HEARTBEAT_S)
            self.report()

    def _receive(self) -> None:
        try:
            while (message := self.channel.receive()) is not None:
                self._obey(message)
        except EOFError:  # the supervisor is gone
            asyncio.get_running_loop().remove_reader(self.channel.fileno())
            self.seat.board.stop()
            self.stop.set()

    def _obey(self, message: Message) -> None:
        match message:
            case Reopen():
                self.seen.audit_log.reopen()
            case Prepare(number, settings):
                self._prepared = {number: settings}
                self.channel.send(Prepared(number))
            case Commit(number):
                if number in self._prepared:
                    self._use(self._prepared.pop(number))
            case Abort():
                self._prepared.clear()
                self.seen.metrics.reloaded(ok=False)
            case Watch(files):
                self._begin(self._watch(files))
            case Report(question):  # in the next turn, behind the observers of responses sent
                asyncio.get_running_loop().call_soon(self.report, question)
            case Totals(numbers, question):
                self.totals.answer(question, unpacked(numbers))
            case _:
                pass  # for the supervisor

    def _use(self, settings: Settings) -> None:
        share = share_of(settings, self.seat.slot, self.seat.workers)
        replace(self.container, share)
        self.seen.metrics.reloaded(ok=True)

    async def _watch(self, files: FileVersions) -> NoReturn:
        changed = asyncio.Event()
        self._begin(set_on_change(changed, files))
        while True:
            await changed.wait()
            changed.clear()
            self.channel.send(Changed())

    def _begin(self, work: Coroutine[object, object, NoReturn]) -> None:
        self._tasks.add(asyncio.create_task(work))
