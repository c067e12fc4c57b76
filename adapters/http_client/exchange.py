"""One request and what becomes of it."""

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from attrs import define, field

from adapters.http_client.alarms import Alarms
from adapters.http_client.messages import Accept, Answer

if TYPE_CHECKING:
    from adapters.http_client.connection import Connection


Ended = Callable[[Answer | Exception], None]
"""Called once with the outcome of an exchange; must not raise."""


@define(eq=False)
class Exchange:
    """A request that was begun; its outcome is an answer or an error.

    Attributes:
        request: all bytes of the request.
        accept: judges the head of the answer; what it raises is the outcome.
        ended: is told the outcome, if anybody is.
        carrier: the connection that it was sent on, or the task that opens one; ``None`` while
            it waits for either.
        whose: on whose behalf it waits for a connection, where it has to.
        on_kept_connection: whether the connection was used before.
        sent_at: when the request was sent, on the event loop's clock.
        outcome: what it ended with; an error only until it is raised.
    """

    request: bytes = field(repr=False)
    accept: Accept
    _alarms: Alarms = field(repr=False)
    ended: Ended | None = None
    carrier: "Connection | asyncio.Task[None] | None" = field(init=False, default=None)
    whose: Hashable = field(init=False, default=None)
    on_kept_connection: bool = field(init=False, default=False)
    sent_at: float = field(init=False, default=0.0)
    outcome: Answer | Exception | None = field(init=False, default=None)
    _waiter: asyncio.Future[None] | None = field(init=False, default=None)

    def end(self, outcome: Answer | Exception) -> None:
        """End with an outcome, unless there is one."""
        if self.outcome is not None:
            return
        self.outcome, self.carrier = outcome, None
        if self.ended is not None:
            ended, self.ended = self.ended, None  # the outcome is unset once it is raised
            ended(outcome)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, until: float, other: "Exchange | None" = None) -> bool:
        """Wait for the outcome, or for another's, at most until an instant.

        There may be one caller at a time. Being cancelled does not end the exchange.

        Returns:
            whether this exchange has its outcome.
        """
        if self.outcome is None and (other is None or other.outcome is None):
            self._waiter = waiter = self._alarms.set(until)
            if other is not None:
                other._waiter = waiter  # noqa: SLF001 - of this class
            try:
                await waiter
            finally:
                self._alarms.take_out(waiter)
        return self.outcome is not None
