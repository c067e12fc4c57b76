"""Lookups are sent in batches, and each stands for itself; in virtual time."""

import asyncio
import gc
import traceback
import weakref
from collections.abc import Callable, Collection, Coroutine, Iterable
from contextlib import suppress
from contextvars import copy_context
from functools import wraps
from itertools import repeat
from typing import Any

import pytest
from attrs import asdict, define, field
from livekit.api import ListRoomsResponse
from livekit.protocol.models import Room as LiveKitRoom

from adapters.http_client.errors import NO_ANSWER_IN_TIME
from adapters.livekit.errors import UnusableAnswerError
from adapters.livekit.room_lookup import RoomLookup, select_rooms
from application.ports.room_gateway import RoomGatewayUnavailableError
from application.ports.turns import TENANT
from domain.room import Room, RoomName
from tests.support.virtual_time import now, run_in_virtual_time

HOUR_S = 3600.0
NAMES = [RoomName("a"), RoomName("b")]


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test whose waits pass at once; one that would wait for ever fails."""

    @wraps(test)
    def run(*arguments: object, **named: object) -> None:
        run_in_virtual_time(test(*arguments, **named))

    return run


def rooms(*names: str) -> ListRoomsResponse:
    return ListRoomsResponse(rooms=[LiveKitRoom(name=name) for name in names])


@define
class SentBatch:
    """A batch that was sent, answered when the test says so."""

    names: set[str]
    deadline: float
    sent_at: float
    _answer: asyncio.Future[ListRoomsResponse] = field(init=False, factory=asyncio.Future)

    def answer(self) -> None:
        """Answer with every room that was asked for, except for one called missing."""
        self._answer.set_result(rooms(*self.names - {"missing"}))

    def fail(self, error: Exception) -> None:
        self._answer.set_exception(error)

    @property
    def is_given_up(self) -> bool:
        return self._answer.cancelled()

    async def wait(self) -> ListRoomsResponse:
        try:
            async with asyncio.timeout_at(self.deadline):
                return await self._answer
        except TimeoutError:
            raise RoomGatewayUnavailableError(reason=NO_ANSWER_IN_TIME) from None


class Server:
    """What batches are sent to."""

    def __init__(self, *, max_names: int = 10) -> None:
        self.batches: list[SentBatch] = []
        self.lookup = RoomLookup(list_rooms=self._list_rooms, max_names=max_names)

    async def _list_rooms(self, names: Collection[RoomName], deadline: float) -> ListRoomsResponse:
        batch = SentBatch(set(names), deadline, now())
        self.batches.append(batch)
        return await batch.wait()

    def find(
        self, name: str, within_s: float = HOUR_S, *, tenant: str | None = None
    ) -> asyncio.Task[Room | None]:
        context = copy_context()
        context.run(TENANT.set, tenant)
        found = self.lookup.find(RoomName(name), now() + within_s)
        return asyncio.create_task(found, context=context)

    async def find_together(
        self, *names: str, within_s: Iterable[float] = repeat(HOUR_S)
    ) -> list[asyncio.Task[Room | None]]:
        """Look for rooms while another lookup is under way, so that they gather behind it."""
        under_way = self.find("first")
        await settle()
        lookups = [self.find(*each) for each in zip(names, within_s, strict=False)]
        await settle()
        self.batches.pop(0).answer()
        await under_way
        return lookups

    async def sent(self) -> list[set[str]]:
        """Let all that can happen without a timer happen, and give the batches that were sent."""
        await settle()
        return [batch.names for batch in self.batches]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def name_of(lookup: asyncio.Task[Room | None]) -> str | None:
    room = await lookup
    return None if room is None else room.name


class TestBatches:
    @in_virtual_time
    async def test_are_sent_at_once_if_none_is_under_way(self) -> None:
        server = Server()
        for number in range(3):
            lookup = server.find("a")
            assert len(await server.sent()) == number + 1
            server.batches[-1].answer()
            assert await name_of(lookup) == "a"
        assert now() == 0

    @in_virtual_time
    async def test_gather_what_arrives_while_one_is_under_way(self) -> None:
        server = Server()
        first = server.find("a")
        await server.sent()
        others = {name: server.find(name) for name in ("b", "c", "missing")}
        assert await server.sent() == [{"a"}]
        server.batches[0].answer()
        assert await server.sent() == [{"a"}, {"b", "c", "missing"}]
        server.batches[1].answer()
        assert await name_of(first) == "a"
        assert [await name_of(lookup) for lookup in others.values()] == ["b", "c", None]

    @in_virtual_time
    async def test_answer_no_lookup_that_came_after_they_were_sent(self) -> None:
        server = Server()
        before = server.find("a")
        await server.sent()
        after = server.find("a")
        server.batches[0].answer()
        assert await name_of(before) == "a"
        assert await server.sent() == [{"a"}, {"a"}]
        assert not after.done()
        server.batches[1].answer()
        assert await name_of(after) == "a"

    @in_virtual_time
    async def test_ask_once_for_a_room_that_many_want(self) -> None:
        server = Server()
        lookups = await server.find_together(*"aaaaa")
        assert await server.sent() == [{"a"}]
        server.batches[0].answer()
        assert [await name_of(lookup) for lookup in lookups] == ["a"] * 5

    @in_virtual_time
    async def test_hold_no_more_names_than_allowed(self) -> None:
        server = Server(max_names=2)
        lookups = await server.find_together(*"abcde")
        for number, names in enumerate([{"a", "b"}, {"c", "d"}, {"e"}]):
            sent = await server.sent()
            assert sent[number:] == [names]  # and no other before this one has its answer
            server.batches[number].answer()
        assert [await name_of(lookup) for lookup in lookups] == list("abcde")

    @in_virtual_time
    async def test_gather_behind_a_full_one_that_was_sent(self) -> None:
        server = Server(max_names=2)
        lookups = await server.find_together(*"abc")
        await server.sent()
        lookups.append(server.find("d"))
        await settle()
        server.batches[0].answer()
        assert await server.sent() == [{"a", "b"}, {"c", "d"}]
        server.batches[1].answer()
        assert [await name_of(lookup) for lookup in lookups] == list("abcd")

    @in_virtual_time
    async def test_wait_a_tenth_of_a_second_for_the_one_before(self) -> None:
        server = Server()
        hanging = server.find("a")
        await server.sent()
        behind = server.find("b")
        await asyncio.sleep(HOUR_S / 2)
        assert [batch.sent_at for batch in server.batches] == [0, 0.1]
        server.batches[1].answer()
        assert await name_of(behind) == "b"
        assert not hanging.done()
        server.batches[0].answer()
        assert await name_of(hanging) == "a"

    @in_virtual_time
    async def test_do_not_wait_for_one_before_the_last(self) -> None:
        server = Server()
        hanging = server.find("a")
        await server.sent()
        behind = server.find("b")
        await asyncio.sleep(1)
        server.batches[1].answer()
        await behind
        last = server.find("c")
        await settle()
        assert [batch.sent_at for batch in server.batches] == [0, 0.1, 1]
        assert not hanging.done()
        assert not last.done()


class TestTenants:
    @in_virtual_time
    async def test_share_a_batch(self) -> None:
        server = Server()
        _ = server.find("first", tenant="a")
        await settle()
        lookups = [server.find(tenant, tenant=tenant) for tenant in "abc"]
        await settle()
        server.batches[0].answer()
        assert await server.sent() == [{"first"}, {"a", "b", "c"}]
        server.batches[1].answer()
        assert [await name_of(lookup) for lookup in lookups] == ["a", "b", "c"]

    @in_virtual_time
    async def test_take_turns_where_more_wait_than_a_batch_takes(self) -> None:
        server = Server(max_names=2)
        _ = server.find("first", tenant="x")
        await settle()
        for name in ("a1", "a2", "a3", "b1"):
            _ = server.find(name, tenant=name[0])
        await settle()
        for number, names in enumerate([{"first"}, {"a1", "b1"}, {"a2", "a3"}]):
            assert (await server.sent())[number:] == [names]
            server.batches[number].answer()

    @in_virtual_time
    async def test_with_many_lookups_are_read_apart(self) -> None:
        server = Server(max_names=4)
        under_way = server.find("a0", tenant="a")
        await settle()
        lookups = [server.find(f"a{number}", tenant="a") for number in range(1, 10)]
        other = server.find("b", tenant="b")
        await settle()
        server.batches[0].answer()
        await under_way
        assert await server.sent() == [{"a0"}, {"b"}, {"a1", "a2", "a3", "a4"}]
        server.batches[1].answer()
        assert await name_of(other) == "b"
        for number in (2, 3, 4):
            server.batches[number].answer()
            await settle()
        assert [await name_of(each) for each in lookups] == [f"a{each}" for each in range(1, 10)]

    @in_virtual_time
    async def test_about_whose_rooms_livekit_hangs_are_read_apart(self) -> None:
        server = Server()
        _ = server.find("a", tenant="a")
        await settle()
        _ = server.find("a", tenant="a")
        behind = server.find("b", tenant="b")
        await asyncio.sleep(0.15)
        assert await server.sent() == [{"a"}, {"b"}, {"a"}]
        server.batches[1].answer()
        assert await name_of(behind) == "b"
        for _ in range(3):
            _ = server.find("a", tenant="a")
            _ = server.find("b", tenant="b")
            await asyncio.sleep(0.15)
            server.batches[-1 if server.batches[-1].names == {"b"} else -2].answer()
        assert {"a", "b"} not in await server.sent()

    @in_virtual_time
    async def test_leave_nothing_behind(self) -> None:
        server = Server(max_names=2)
        fresh = asdict(server.lookup, recurse=False)
        del fresh["_common"]
        lookups = [
            server.find(f"{tenant}{number}", tenant=tenant, within_s=1 + number)
            for tenant in "abc"
            for number in range(9)
        ]
        for number in range(40):
            await asyncio.sleep(0.05)
            if number % 3 and number < len(server.batches):
                server.batches[number].answer()
            lookups[number % 9].cancel()
        await asyncio.wait(lookups)
        await asyncio.sleep(HOUR_S)
        left = asdict(server.lookup, recurse=False)
        assert {name: left[name] for name in fresh} == fresh


class TestDeadlines:
    @in_virtual_time
    async def test_count_the_wait_for_another_batch(self) -> None:
        server = Server()
        hanging = server.find("a")
        await server.sent()
        behind = server.find("b", within_s=5)
        await asyncio.sleep(1)
        assert server.batches[1].deadline == 5
        with pytest.raises(RoomGatewayUnavailableError):
            await behind
        assert now() == 5
        hanging.cancel()

    @in_virtual_time
    async def test_end_each_lookup_of_a_batch_at_its_own(self) -> None:
        server = Server()
        sooner, later = await server.find_together("a", "a", within_s=[1, HOUR_S])
        await server.sent()
        with pytest.raises(RoomGatewayUnavailableError) as failed:
            await sooner
        assert failed.value.reason == "no answer before the deadline"
        assert now() == 1
        server.batches[0].answer()
        assert await name_of(later) == "a"

    @in_virtual_time
    async def test_of_a_batch_are_the_latest_of_its_lookups(self) -> None:
        server = Server()
        lookups = await server.find_together("a", "b", "c", within_s=[10, 20, 15])
        await server.sent()
        assert [batch.deadline for batch in server.batches] == [20]
        server.batches[0].answer()
        await asyncio.gather(*lookups)

    @in_virtual_time
    async def test_that_have_passed_send_nothing(self) -> None:
        server = Server()
        for within_s in (0, -HOUR_S):
            with pytest.raises(RoomGatewayUnavailableError):
                await server.find("a", within_s)
        assert await server.sent() == []


class TestFailures:
    @in_virtual_time
    async def test_reach_the_lookups_of_their_batch_only(self) -> None:
        server = Server()
        failing = await server.find_together("a", "b")
        await server.sent()
        behind = server.find("c")
        server.batches[0].fail(RoomGatewayUnavailableError(reason="down"))
        for lookup in failing:
            with pytest.raises(RoomGatewayUnavailableError):
                await lookup
        assert await server.sent() == [{"a", "b"}, {"c"}]
        server.batches[1].answer()
        assert await name_of(behind) == "c"

    @pytest.mark.parametrize("kind", [UnusableAnswerError, RoomGatewayUnavailableError])
    @in_virtual_time
    async def test_by_an_unusable_answer_reach_the_lookup_of_that_room_only(
        self, kind: type[RoomGatewayUnavailableError]
    ) -> None:
        server = Server()
        good, bad = await server.find_together("a", "b")
        await server.sent()
        server.batches[0].fail(UnusableAnswerError(reason="answer too large"))
        for number in (1, 2):
            await settle()
            batch = server.batches[number]
            if batch.names == {"b"}:
                batch.fail(kind(reason="arranged"))
            else:
                batch.answer()
        assert await name_of(good) == "a"
        with pytest.raises(kind):
            await bad
        assert len(server.batches) == 3

    @in_virtual_time
    async def test_keep_no_earlier_batch_in_memory(self) -> None:
        """Or else an outage of LiveKit would fill the memory."""

        async def fail(_names: Collection[RoomName], _deadline: float) -> ListRoomsResponse:
            raise RoomGatewayUnavailableError(reason="arranged")

        lookup, errors = RoomLookup(list_rooms=fail, max_names=10), list[weakref.ref[Exception]]()
        for _ in range(5):
            try:
                await lookup.find(RoomName("room"), now() + HOUR_S)
            except RoomGatewayUnavailableError as error:
                errors.append(weakref.ref(error))
            await settle()
        gc.collect()
        assert [error() for error in errors[:-1]] == [None] * 4

    @in_virtual_time
    async def test_hold_the_frames_of_one_lookup_however_many_share_them(self) -> None:
        server = Server()
        lookups = await server.find_together(*"aaaaa")
        await server.sent()
        server.batches[0].fail(RoomGatewayUnavailableError(reason="down"))
        await asyncio.wait(lookups)
        (error,) = {lookup.exception() for lookup in lookups}
        assert error is not None
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert frames.count("find") == 1

    @in_virtual_time
    async def test_that_are_bugs_reach_every_lookup(self) -> None:
        server = Server()
        lookups = await server.find_together("a", "b")
        await server.sent()
        server.batches[0].fail(ZeroDivisionError())
        for lookup in lookups:
            with pytest.raises(ZeroDivisionError):
                await lookup


class TestCancellation:
    @pytest.mark.parametrize("cancelled", [0, 1])
    @in_virtual_time
    async def test_of_a_lookup_disturbs_no_other_of_its_batch(self, cancelled: int) -> None:
        server = Server()
        lookups = await server.find_together("a", "a", "b")
        await server.sent()
        lookups.pop(cancelled).cancel()
        await settle()
        server.batches[0].answer()
        assert [await name_of(lookup) for lookup in lookups] == ["a", "b"]

    @in_virtual_time
    async def test_of_all_lookups_blocks_no_later_one(self) -> None:
        server = Server()
        (sent,) = await server.find_together("a")
        await server.sent()
        waiting = server.find("b")
        await settle()
        for lookup in (sent, waiting):
            lookup.cancel()
            with suppress(asyncio.CancelledError):
                await lookup
        later = server.find("c")
        server.batches[0].fail(RoomGatewayUnavailableError(reason="down"))
        assert await server.sent() == [{"a"}, {"b", "c"}]
        server.batches[1].answer()
        assert await name_of(later) == "c"

    @in_virtual_time
    async def test_of_a_lone_lookup_ends_it_and_lets_the_next_ones_go(self) -> None:
        server = Server()
        alone = server.find("a")
        await settle()
        behind = server.find("b")
        await settle()
        alone.cancel()
        await settle()
        assert server.batches[0].is_given_up
        assert await server.sent() == [{"a"}, {"b"}]
        server.batches[1].answer()
        assert await name_of(behind) == "b"

    @in_virtual_time
    async def test_of_all_lookups_logs_no_failure_of_their_batch(self) -> None:
        unretrieved: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unretrieved.append(context))
        server = Server()
        (lookup,) = await server.find_together("a")
        await server.sent()
        lookup.cancel()
        await settle()
        server.batches[0].fail(RoomGatewayUnavailableError(reason="down"))
        await settle()
        del lookup, server
        gc.collect()
        assert not unretrieved


class TestSelectRooms:
    def test_gives_the_rooms_that_exist(self) -> None:
        for there in ((), ("a",), ("b",), ("b", "a")):
            assert select_rooms(NAMES, rooms(*there)).keys() == set(there)

    def test_rejects_answers_with_anything_else(self) -> None:
        foreign = {
            "another room": rooms("c"),
            "another room, too": rooms("a", "c"),
            "a similar name": rooms("A"),
            "a room twice": rooms("a", "a"),
            "too many rooms": rooms("a", "b", "c"),
            "a room without a name": rooms(""),
            "unknown fields": ListRoomsResponse.FromString(b"\xfa\x06\x06s3cret"),
        }
        accepted = []
        for name, answer in foreign.items():
            with suppress(UnusableAnswerError):
                accepted.append((name, select_rooms(NAMES, answer)))
        assert not accepted
