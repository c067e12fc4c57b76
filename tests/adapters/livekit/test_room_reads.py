"""Reads of rooms travel together, and each stands for itself."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress

import pytest
from attrs import define, field
from livekit.protocol.models import Room as LiveKitRoom

from adapters.livekit.room_reads import RoomReads, Rooms
from application.ports.room_gateway import RoomGatewayError, RoomGatewayUnavailableError
from domain.room import RoomName

NOTHING: Mapping[RoomName, RoomGatewayError] = {}
TIMEOUT_S = 5.0


@define
class Departure:
    """One question on its way, answered when the test says so."""

    names: set[str]
    until: float
    _answer: asyncio.Future[Rooms] = field(init=False, factory=asyncio.Future)

    def arrive(self, failed: Mapping[RoomName, RoomGatewayError] = NOTHING) -> None:
        """Bring every room that was asked for, but one called missing, and what failed."""
        rooms = {RoomName(each): LiveKitRoom(name=each) for each in self.names - {"missing"}}
        self._answer.set_result({**rooms, **failed})

    def fail(self, error: Exception) -> None:
        self._answer.set_exception(error)

    async def answer(self) -> Rooms:
        return await self._answer


class Line:
    """Where questions leave from; each waits on its way until it is let arrive."""

    def __init__(self, *, max_names: int = 10) -> None:
        self.departures: list[Departure] = []
        self.reads = RoomReads(list_rooms=self._list_rooms, max_names=max_names)

    async def _list_rooms(self, names: Collection[RoomName], until: float) -> Rooms:
        departure = Departure(set(names), until)
        self.departures.append(departure)
        return await departure.answer()

    def read(self, name: str, within_s: float = TIMEOUT_S) -> asyncio.Task[LiveKitRoom | None]:
        return asyncio.create_task(self._read(name, within_s))

    async def _read(self, name: str, within_s: float) -> LiveKitRoom | None:
        until = asyncio.get_running_loop().time() + within_s
        return await self.reads.read(RoomName(name), until)

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not met():  # noqa: ASYNC110 - a handful of turns of the loop
                await asyncio.sleep(0)

    async def left(self, number: int) -> list[set[str]]:
        """Wait for so many departures, give others their chance, and tell who left with whom."""
        await self.until(lambda: len(self.departures) >= number)
        await settle()
        return [departure.names for departure in self.departures]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def name_of(read: Awaitable[LiveKitRoom | None]) -> str | None:
    async with asyncio.timeout(5):
        room = await read
    return None if room is None else room.name


class TestRoomReads:
    async def test_leave_at_once_where_none_is_under_way(self) -> None:
        line = Line()
        for number in range(3):
            read = line.read("a")
            assert len(await line.left(number + 1)) == number + 1
            line.departures[-1].arrive()
            assert await name_of(read) == "a"

    async def test_leave_together_once_the_one_under_way_is_back(self) -> None:
        line = Line()
        first = line.read("a")
        await line.left(1)
        others = {name: line.read(name) for name in ("b", "c", "missing")}
        assert await line.left(1) == [{"a"}]
        line.departures[0].arrive()
        assert await line.left(2) == [{"a"}, {"b", "c", "missing"}]
        line.departures[1].arrive()
        assert await name_of(first) == "a"
        assert [await name_of(read) for read in others.values()] == ["b", "c", None]

    async def test_never_are_answered_by_a_question_that_had_left_before(self) -> None:
        line = Line()
        before = line.read("a")
        await line.left(1)
        after = line.read("a")
        line.departures[0].arrive()
        assert await name_of(before) == "a"
        assert await line.left(2) == [{"a"}, {"a"}]
        assert not after.done()
        line.departures[1].arrive()
        assert await name_of(after) == "a"

    async def test_ask_once_for_a_room_that_many_want(self) -> None:
        line = Line()
        reads = [line.read("a") for _ in range(5)]
        assert await line.left(1) == [{"a"}]
        line.departures[0].arrive()
        assert [await name_of(read) for read in reads] == ["a"] * 5

    async def test_leave_in_several_questions_where_they_are_too_many_for_one(self) -> None:
        line = Line(max_names=2)
        reads = [line.read(name) for name in "abcde"]
        for number, names in enumerate([{"a", "b"}, {"c", "d"}, {"e"}]):
            left = await line.left(number + 1)
            assert left[number:] == [names]  # and no other before this one is back
            line.departures[number].arrive()
        assert [await name_of(read) for read in reads] == list("abcde")

    async def test_still_gather_behind_a_full_question_that_has_left(self) -> None:
        line = Line(max_names=2)
        reads = [line.read(name) for name in "abc"]
        await line.left(1)
        reads.append(line.read("d"))
        await settle()
        line.departures[0].arrive()
        assert await line.left(2) == [{"a", "b"}, {"c", "d"}]
        line.departures[1].arrive()
        assert [await name_of(read) for read in reads] == list("abcd")

    async def test_are_due_in_time_though_they_wait_for_others(self) -> None:
        line = Line()
        silent = line.read("a")
        await line.left(1)
        due = asyncio.get_running_loop().time() + TIMEOUT_S
        behind = line.read("b")
        await asyncio.sleep(0.15)
        await line.left(2)
        assert line.departures[1].until - due < 0.1  # not counted from when it left
        for read, departure in zip((silent, behind), line.departures, strict=True):
            departure.arrive()
            await read

    async def test_give_up_each_at_its_own_time(self) -> None:
        line = Line()
        hurried, patient = line.read("a", within_s=0.05), line.read("a")
        await line.left(1)
        with pytest.raises(RoomGatewayUnavailableError):
            await hurried
        line.departures[0].arrive()
        assert await name_of(patient) == "a"

    async def test_are_due_when_the_last_of_those_who_left_together_is(self) -> None:
        line = Line()
        now = asyncio.get_running_loop().time()
        reads = [line.read("a"), line.read("b", within_s=2 * TIMEOUT_S), line.read("c")]
        await line.left(1)
        assert line.departures[0].until - now >= 2 * TIMEOUT_S
        line.departures[0].arrive()
        await asyncio.gather(*reads)


class TestFailure:
    async def test_of_one_room_is_told_to_those_alone_who_asked_for_it(self) -> None:
        line = Line()
        good, bad = line.read("a"), line.read("b")
        await line.left(1)
        line.departures[0].arrive({RoomName("b"): RoomGatewayUnavailableError(reason="too large")})
        assert await name_of(good) == "a"
        with pytest.raises(RoomGatewayUnavailableError):
            await bad

    async def test_is_told_to_those_alone_who_left_together(self) -> None:
        line = Line()
        failing = [line.read("a"), line.read("b")]
        await line.left(1)
        behind = line.read("c")
        line.departures[0].fail(RoomGatewayUnavailableError(reason="down"))
        for read in failing:
            with pytest.raises(RoomGatewayUnavailableError):
                await read
        assert await line.left(2) == [{"a", "b"}, {"c"}]
        line.departures[1].arrive()
        assert await name_of(behind) == "c"

    async def test_of_our_own_leaves_nobody_waiting(self) -> None:
        line = Line()
        reads = [line.read("a"), line.read("b")]
        await line.left(1)
        line.departures[0].fail(ZeroDivisionError())
        for read in reads:
            with pytest.raises(ZeroDivisionError):
                await read


class TestSilence:
    async def test_holds_up_those_behind_for_no_longer_than_their_patience(self) -> None:
        line = Line()
        silent = line.read("a")
        await line.left(1)
        behind = line.read("b")
        await asyncio.sleep(0.15)
        assert await line.left(2) == [{"a"}, {"b"}]
        line.departures[1].arrive()
        assert await name_of(behind) == "b"
        assert not silent.done()
        line.departures[0].arrive()
        assert await name_of(silent) == "a"

    async def test_of_an_older_question_holds_nobody_up(self) -> None:
        line = Line()
        silent = line.read("a")
        await line.left(1)
        behind = line.read("b")
        await asyncio.sleep(0.15)
        await line.left(2)
        line.departures[1].arrive()
        await behind
        last = line.read("c")
        assert await line.left(3) == [{"a"}, {"b"}, {"c"}]
        assert not silent.done()
        assert not last.done()


class TestCancelling:
    @pytest.mark.parametrize("gone", [0, 1])
    async def test_a_read_disturbs_nobody_who_travels_with_it(self, gone: int) -> None:
        line = Line()
        reads = [line.read("a"), line.read("a"), line.read("b")]
        await line.left(1)
        reads.pop(gone).cancel()
        await settle()
        line.departures[0].arrive()
        assert [await name_of(read) for read in reads] == ["a", "b"]

    async def test_all_who_wait_lets_those_who_come_then_leave(self) -> None:
        line = Line()
        under_way = line.read("a")
        await line.left(1)
        waiting = line.read("b")
        await settle()
        for read in (under_way, waiting):
            read.cancel()
            with suppress(asyncio.CancelledError):
                await read
        later = line.read("c")
        line.departures[0].fail(RoomGatewayUnavailableError(reason="down"))
        assert await line.left(2) == [{"a"}, {"b", "c"}]
        line.departures[1].arrive()
        assert await name_of(later) == "c"

    async def test_all_who_travel_together_leaves_no_failure_behind_that_nobody_hears_of(
        self,
    ) -> None:
        unheard: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        line = Line()
        read = line.read("a")
        await line.left(1)
        read.cancel()
        await settle()
        line.departures[0].fail(RoomGatewayUnavailableError(reason="down"))
        await settle()
        del read, line
        gc.collect()
        assert not unheard
