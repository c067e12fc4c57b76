"""Whose numbers are added up when a worker is asked for metrics."""

from collections.abc import Callable, Iterator

import pytest
from attrs import define, field

from entrypoints.http.limits import Limits
from entrypoints.logs import Stderr
from entrypoints.metrics.families import make_registry
from entrypoints.metrics.metrics import Metrics
from entrypoints.metrics.totals import packed, snapshot_of, unpacked
from entrypoints.workers.channel import Report, Totals
from entrypoints.workers.gathering import Gathering
from entrypoints.workers.seat import Seat
from tests.entrypoints.workers.seats import seat

COUNT = "livekit_mute_request_seconds_count"


def numbers(requests: int) -> bytes:
    metrics = Metrics(limits=Limits(), log=Stderr())
    for _ in range(requests):
        metrics.requests.add([(("/livez", "OK"), 0.1)])
    return packed(snapshot_of(make_registry(metrics, version="1")))


@define
class Told:
    """A gathering among three workers, the last of which is asked."""

    due: list[tuple[float, Callable[[], None]]] = field(factory=list)
    seats: list[Seat] = field(factory=lambda: [seat(number) for number in (1, 2, 3)])
    gathering: Gathering = field(init=False)

    @gathering.default
    def _gathering(self) -> Gathering:
        return Gathering(ready=lambda: self.seats, later=lambda *due: self.due.append(due))

    def go_on(self, *, seconds: float = 0.0) -> None:
        """Do what is due by then."""
        due, self.due = self.due, []
        for delay_s, action in due:
            if delay_s <= seconds:
                action()
            else:
                self.due.append((delay_s, action))

    def ask(self, requests: int) -> None:
        self.gathering.asked(self.seats[-1], numbers(requests), 7)
        self.go_on()

    def answer(self, seat: Seat, requests: int) -> None:
        """Answer the next question that a worker is asked."""
        report = seat.own_end.receive()
        assert isinstance(report, Report)
        self.gathering.heard(seat, numbers(requests), report.question)
        self.go_on()

    def total(self, seat: Seat | None = None, number: int = 7) -> float | None:
        """Return the sum that a worker is told, if it is; by default the last one."""
        message = (seat or self.seats[-1]).own_end.receive()
        if message is None:
            return None
        assert isinstance(message, Totals)
        assert message.question == number
        return sum(
            value
            for family in unpacked(message.packed).values()
            for (name, _), value in family.values.items()
            if name == COUNT
        )


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    seats = [*told.seats]
    yield told
    for each in seats:
        each.own_end.close()
        each.close()


def test_adds_up_the_numbers_of_all(told: Told) -> None:
    told.ask(1)
    told.answer(told.seats[0], 10)
    assert told.total() is None
    told.answer(told.seats[1], 100)
    assert told.total() == 111


def test_asks_also_who_was_ready_before_the_question_was_read(told: Told) -> None:
    """A worker may have answered requests though its message is read after the question."""
    last = told.seats.pop(0)
    told.gathering.asked(told.seats[-1], numbers(1), 7)
    told.seats.insert(0, last)
    told.go_on()
    told.answer(last, 10)
    told.answer(told.seats[1], 100)
    assert told.total() == 111


def test_does_not_take_earlier_numbers_for_an_answer(told: Told) -> None:
    first, second, _ = told.seats
    told.ask(1)
    told.answer(first, 10)
    told.gathering.heard(second, numbers(99), None)
    assert told.total() is None
    told.answer(second, 100)
    assert told.total() == 111


def test_goes_without_those_that_do_not_answer_in_time(told: Told) -> None:
    told.ask(1)
    told.answer(told.seats[0], 10)
    told.go_on(seconds=60)
    assert told.total() == 11
    told.answer(told.seats[1], 100)
    assert told.total() is None


def test_keeps_what_workers_had_counted_that_have_ended(told: Told) -> None:
    told.gathering.heard(told.seats[0], numbers(10), None)
    told.gathering.ended(told.seats.pop(0))
    told.ask(1)
    told.gathering.ended(told.seats[0])  # it never told any
    assert told.total() == 11


def test_forgets_who_asked_and_has_ended(told: Told) -> None:
    told.ask(1)
    told.gathering.ended(told.seats[-1])
    told.answer(told.seats[0], 10)
    told.answer(told.seats[1], 100)
    assert told.total() is None


def test_asks_anew_for_all_who_ask_meanwhile(told: Told) -> None:
    first, second, last = told.seats
    told.ask(1)
    told.gathering.asked(first, numbers(10), 3)
    told.gathering.asked(second, numbers(99), 4)
    assert last.own_end.receive() is None
    told.answer(first, 11)
    told.answer(second, 100)
    assert told.total() == 112
    told.answer(first, 12)
    told.answer(second, 101)
    told.answer(last, 2)
    assert [told.total(first, number=3), told.total(second, number=4)] == [115, 115]
    assert told.total() is None


def test_forgets_who_waits_for_the_next_round_and_has_ended(told: Told) -> None:
    first, second, _ = told.seats
    told.ask(1)
    told.gathering.asked(first, numbers(10), 3)
    told.gathering.ended(told.seats.pop(0))
    told.answer(second, 100)
    assert told.total() == 111
    assert second.own_end.receive() is None
