"""Places are shared fairly, and turns are taken."""

import asyncio
import time
from collections import Counter
from random import Random

import pytest

from entrypoints.http.server.entrance import Entrance
from entrypoints.http.server.fair_share import FairShare
from tests.support.virtual_time import now, run_in_virtual_time


def fill(places: FairShare, key: str | None) -> int:
    """Take all places that a key gets; return how many it has then."""
    taken = 0
    while places.has_place(key):
        places.take(key)
        taken += 1
    return taken


class TestPlaces:
    @pytest.mark.parametrize("key", ["a", None])
    def test_are_all_for_one_who_is_alone(self, key: str | None) -> None:
        assert fill(FairShare(limit=16, share=4), key) == 16

    def test_beyond_the_limit_are_for_those_who_have_little(self) -> None:
        places = FairShare(limit=16, share=4)
        assert [fill(places, key) for key in "abcd"] == [16, 2, 1, 1]
        assert fill(places, None) == 0

    def test_beyond_the_limit_are_left_for_the_next_however_many_came_before(self) -> None:
        places = FairShare(limit=16, share=16)
        assert [fill(places, key) for key in "abcde"] == [16, 8, 4, 2, 1]

    def test_given_back_by_one_who_has_much_go_to_one_below_its_share(self) -> None:
        places = FairShare(limit=16, share=4)
        fill(places, "a")
        while places.taken_by("b") < 4:
            fill(places, "b")
            places.give_back("a")
            assert places.has_place("b") or not places.has_place("a")
        assert places.taken_by("a") >= 8

    @pytest.mark.parametrize("seed", range(20))
    def test_are_counted_exactly_whatever_happens(self, seed: int) -> None:
        random, held = Random(seed), list[str | None]()  # noqa: S311 - no secret
        limit = random.randint(1, 9)
        places = FairShare(limit=limit, share=random.randint(1, limit))
        for _ in range(500):
            key = random.choice(["a", "b", "c", None])
            if random.random() < 0.6 and places.has_place(key):
                places.take(key)
                held.append(key)
            elif held:
                places.give_back(held.pop(random.randrange(len(held))))
            assert places.taken == len(held) <= places.limit + places.share
            counts = Counter(held)
            assert all(places.taken_by(each) == counts[each] for each in "abc")
        for key in held:
            places.give_back(key)
        assert fill(places, "a") == places.limit


async def enter(entrance: Entrance, name: str, entered: list[str]) -> None:
    await entrance.enter(name[0])
    entered.append(name)


class TestEntrance:
    def test_lets_in_one_of_each_key_in_a_turn(self) -> None:
        entered = list[str]()

        async def reject(entrance: Entrance, name: str) -> None:
            await entrance.enter_rejected()
            entered.append(name)

        async def all_enter() -> None:
            entrance = Entrance()
            await entrance.enter("z")
            names = ["a1", "a2", "a3", "b1", "c1", "b2"]
            await asyncio.gather(
                *(enter(entrance, name, entered) for name in names),
                *(reject(entrance, f"rejected {number}") for number in (1, 2)),
            )

        run_in_virtual_time(all_enter())
        assert entered == ["a1", "b1", "c1", "rejected 1", "a2", "b2", "rejected 2", "a3"]

    @pytest.mark.parametrize(("later_s", "alone"), [(0, True), (9, False), (10, True)])
    def test_lets_all_in_at_once_while_there_is_only_one_key(
        self, later_s: float, alone: bool
    ) -> None:
        entered = list[str]()

        async def all_enter() -> None:
            entrance = Entrance()
            if later_s:
                await entrance.enter("b")
            await entrance.enter("a")
            await asyncio.sleep(later_s)
            tasks = [asyncio.create_task(enter(entrance, "a", entered)) for _ in range(5)]
            await asyncio.sleep(0)
            assert len(entered) == (5 if alone else 1)
            await asyncio.gather(*tasks)

        run_in_virtual_time(all_enter())

    def test_lets_a_restrained_key_wait_as_long_as_the_thread_was_busy(self) -> None:
        async def all_enter() -> tuple[float, float]:
            entrance = Entrance()
            await entrance.enter("b")
            await entrance.enter("a", restrained=True)
            await asyncio.sleep(0)  # it measures from here
            busy_until = time.thread_time() + 0.02
            while time.thread_time() < busy_until:
                pass
            await entrance.enter("b")
            await asyncio.sleep(0)
            waiting = asyncio.create_task(entrance.enter("a", restrained=True))
            await asyncio.sleep(0)
            await entrance.enter("b")
            entered_at = now()
            await waiting
            return entered_at, now()

        others_at, restrained_at = run_in_virtual_time(all_enter())
        assert others_at == 0
        assert restrained_at >= 0.04

    def test_is_as_good_as_new_after_waits_were_cancelled(self) -> None:
        async def cancel() -> None:
            entrance = Entrance()
            await entrance.enter("b")
            tasks = [asyncio.create_task(entrance.enter("a")) for _ in range(50)]
            await asyncio.sleep(0)
            for task in tasks[10:]:
                task.cancel()
            await asyncio.wait(tasks)
            await entrance.enter("b")
            assert sum(task.cancelled() for task in tasks) == 40

        run_in_virtual_time(cancel())
