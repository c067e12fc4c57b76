"""How often metrics are written out."""

import asyncio

from attrs import define

from entrypoints.metrics.paced import Paced
from tests.support.virtual_time import run_in_virtual_time


@define
class Slow:
    """Takes a second each time, on a clock of its own."""

    times: int = 0

    def __call__(self) -> bytes:
        self.times += 1
        return b"%d" % self.times

    def clock(self) -> float:
        return asyncio.get_running_loop().time() + self.times


class TestPaced:
    def test_writes_out_for_all_who_wait_and_rests_in_between(self) -> None:
        async def ask() -> tuple[list[bytes], float]:
            slow = Slow()
            paced, began = Paced(slow, slow.clock), asyncio.get_running_loop().time()
            told = [await paced()]
            told += await asyncio.gather(paced(), paced(), paced())
            told += [await paced()]
            return told, asyncio.get_running_loop().time() - began

        told, took = run_in_virtual_time(ask())
        assert told == [b"1", b"2", b"2", b"2", b"3"]
        assert round(took) == 18

    def test_goes_on_where_one_who_waits_gives_up(self) -> None:
        async def ask() -> bytes:
            slow = Slow()
            paced = Paced(slow, slow.clock)
            await paced()
            waiting = [asyncio.create_task(paced()) for _ in range(2)]
            await asyncio.sleep(1)
            waiting[0].cancel()
            return await waiting[1]

        assert run_in_virtual_time(ask()) == b"2"
