"""The numbers of all workers, gathered when one of them is asked for metrics.

What a worker has told stays counted for ever, so that no counter ever goes back.
"""

from collections.abc import Callable, Iterable
from functools import partial

from attrs import define, field

from entrypoints.metrics.families import process_registry
from entrypoints.metrics.totals import Snapshot, counted, packed, snapshot_of, total, unpacked
from entrypoints.workers.channel import Report, Totals
from entrypoints.workers.seat import Seat

_PATIENCE_S = 2.0


@define(eq=False)
class _Round:
    """Who has asked, each with the number of its question, and whose numbers are missing."""

    asking: dict[Seat, int]
    missing: set[Seat]


@define(kw_only=True, eq=False)
class Gathering:
    """Asks workers for their numbers, and tells the totals to those who asked.

    Whoever asks while others are waited for is answered after the next round, since what they
    tell may be older than its question. For the same reason only what a worker tells in answer to
    this round counts as its answer, and not what it tells from time to time.

    Attributes:
        ready: returns the workers that can be asked.
        later: calls a function after some seconds, and not before it has returned.
    """

    ready: Callable[[], Iterable[Seat]]
    later: Callable[[float, Callable[[], None]], object]
    _round: _Round | None = field(init=False, default=None)
    _number: int = field(init=False, default=0)
    """Of the round."""
    _waiting: dict[Seat, int] = field(init=False, factory=dict)
    """Who has asked since it began."""
    _live: dict[Seat, bytes] = field(init=False, factory=dict)
    _ended: Snapshot = field(init=False, factory=dict)

    def heard(self, seat: Seat, numbers: bytes, question: int | None) -> None:
        """Take the numbers of a worker, told in answer to a round or to none."""
        self._live[seat] = numbers
        if self._round is not None and question == self._number:
            self._round.missing.discard(seat)
            self._answer_if_complete()

    def asked(self, seat: Seat, numbers: bytes, number: int) -> None:
        """Take the numbers of a worker that wants the totals, and has given this a number."""
        self._live[seat] = numbers
        self._waiting[seat] = number
        self._begin_soon()

    def ended(self, seat: Seat) -> None:
        """Keep what a worker has counted, and forget the rest."""
        if seat in self._live:
            self._ended = total([self._ended, counted(unpacked(self._live.pop(seat)))])
        self._waiting.pop(seat, None)
        if self._round is not None:
            self._round.asking.pop(seat, None)
            self._round.missing.discard(seat)
            self._answer_if_complete()

    def _begin_soon(self) -> None:
        """Begin once all messages are read that have come: one may say that a worker is ready."""
        self.later(0.0, self._begin)

    def _begin(self) -> None:
        if self._round is not None or not self._waiting:
            return
        asking, self._waiting = self._waiting, {}
        self._number += 1
        asked = [each for each in self.ready() if asking.keys() != {each}]
        missing = {each for each in asked if each.other_end.send(Report(self._number))}
        self._round = _Round(asking, missing)
        self.later(_PATIENCE_S, partial(self._give_up, self._number))
        self._answer_if_complete()

    def _give_up(self, number: int) -> None:
        if self._round is not None and number == self._number:
            self._round.missing.clear()
            self._answer_if_complete()

    def _answer_if_complete(self) -> None:
        if self._round is None or self._round.missing:
            return
        asking, self._round = self._round.asking, None
        if asking:
            own = snapshot_of(process_registry())
            totals = packed(total([self._ended, *map(unpacked, self._live.values()), own]))
            for seat, number in asking.items():
                seat.other_end.send(Totals(totals, number))
        self._begin_soon()
