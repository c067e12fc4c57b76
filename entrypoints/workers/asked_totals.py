"""The metrics of all workers, as one of them serves them."""

import asyncio

from attrs import define, field

from entrypoints.metrics.families import Registry, exposition
from entrypoints.metrics.totals import Collected, Snapshot, packed, snapshot_of
from entrypoints.workers.channel import Ask, Channel

_TOTALS_S = 5.0


@define(eq=False)
class AskedTotals:
    """The numbers of all workers, which the supervisor adds up when it is asked."""

    _channel: Channel
    _registry: Registry
    _question: int = field(init=False, default=0)
    _answer: "asyncio.Future[Snapshot] | None" = field(init=False, default=None)
    _latest: Snapshot = field(init=False, factory=dict)

    async def ask(self) -> None:
        """Ask for them; one caller at a time.

        Raises:
            TimeoutError: the supervisor does not answer.
        """
        self._question += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._channel.send(Ask(packed(snapshot_of(self._registry)), self._question))
        async with asyncio.timeout(_TOTALS_S):
            self._latest = await self._answer

    def answer(self, question: int, snapshot: Snapshot) -> None:
        """Take the supervisor's answer to a question, unless it comes too late."""
        if question == self._question and self._answer and not self._answer.done():
            self._answer.set_result(snapshot)

    def written(self) -> bytes:
        """Write them out."""
        registry = Registry()
        registry.register(Collected(self._latest))
        return exposition(registry)
