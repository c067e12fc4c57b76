"""The calls of one server, counted."""

from collections import Counter

from attrs import define, field

from adapters.http_client.telemetry import Attempt, EndedCall, Outcome
from entrypoints.metrics.histogram import Histogram

TOGETHER = 64
"""How many are counted in a row, which takes half the time."""
_FIRST, _OK = Attempt.FIRST, Outcome.OK  # found once: it takes a while in Python 3.11


@define(kw_only=True, eq=False)
class CountedCalls:
    """Counts the calls of one server, or the checks of who is calling.

    Attributes:
        seconds: of the calls, by ``labels``, method and outcome.
        rooms: how many rooms each read is about.
        ended: calls that are not counted yet.
        retries: how many calls repeat another one, by the reason.
        open_connections: how many there are now.
        last_ok: when a call last ended well, on the clock of ``time.perf_counter``.
    """

    seconds: Histogram
    rooms: Histogram
    labels: tuple[str, ...] = ()
    ended: list[EndedCall] = field(init=False, factory=list)
    retries: Counter[str] = field(init=False, factory=Counter)
    open_connections: int = field(init=False, default=0)
    last_ok: float | None = field(init=False, default=None)

    def note(self, call: EndedCall) -> None:
        """Note a call that has ended."""
        self.ended.append(call)
        if len(self.ended) >= TOGETHER:
            self.count()

    def note_connections(self, number: int) -> None:
        """Note how many connections are open or being opened."""
        self.open_connections = number

    def count(self) -> None:
        """Count the calls that have ended, and forget them."""
        values, rooms_read = list[tuple[tuple[str, ...], float]](), list[tuple[tuple[()], int]]()
        for (method, attempt, rooms), outcome, began, ended in self.ended:
            labels = self.labels + (method, outcome)  # noqa: RUF005 - twice as fast
            values.append((labels, ended - began))
            if rooms:
                rooms_read.append(((), rooms))
            if attempt is not _FIRST:
                self.retries[attempt] += 1
            if outcome is _OK:
                self.last_ok = ended
        self.seconds.add(values)
        self.rooms.add(rooms_read)
        self.ended.clear()
