import asyncio
from typing import cast

import pytest

from entrypoints.http.server.errors import OverloadedError
from entrypoints.http.server.traffic import Traffic
from tests.support.virtual_time import now, run_in_virtual_time


class TestReject:
    def test_spaces_rejections_a_millisecond_apart_for_a_second_at_most(self) -> None:
        async def rejected_at(traffic: Traffic) -> float:
            with pytest.raises(OverloadedError):
                await traffic.reject("x")
            return now()

        async def all_rejected_at() -> list[float]:
            traffic = Traffic(max_in_flight=0)
            await asyncio.sleep(10)
            return await asyncio.gather(*(rejected_at(traffic) for _ in range(5000)))

        times = run_in_virtual_time(all_rejected_at())
        expected = [10 + min(number / 1000, 1.0) for number in range(5000)]
        assert times == pytest.approx(expected, abs=1e-6)


async def hold(traffic: Traffic, seconds: float, ended: list[str]) -> None:
    try:
        with traffic.admit():
            await asyncio.sleep(seconds)
        ended.append(f"served at {now():g}")
    except OverloadedError:
        ended.append(f"rejected at {now():g}")
        assert cast("asyncio.Task[None]", asyncio.current_task()).cancelling() == 0


class TestDrain:
    @pytest.mark.parametrize(
        ("durations", "timeout_s", "expected", "drained_at"),
        [
            ([], 10, [], 0),
            ([2, 5], 10, ["served at 2", "served at 5"], 5),
            ([2, 50], 10, ["served at 2", "rejected at 10"], 10),
        ],
    )
    def test_waits_for_requests_in_flight_until_its_timeout(
        self, durations: list[float], timeout_s: float, expected: list[str], drained_at: float
    ) -> None:
        async def drain() -> tuple[list[str], float]:
            traffic, ended = Traffic(max_in_flight=5), list[str]()
            requests = [asyncio.create_task(hold(traffic, each, ended)) for each in durations]
            await asyncio.sleep(0)
            assert traffic.in_flight == len(durations)
            await traffic.drain(timeout_s)
            drained_at = now()
            await asyncio.gather(*requests)
            assert not traffic.has_capacity
            assert traffic.in_flight == 0
            return ended, drained_at

        assert run_in_virtual_time(drain()) == (expected, drained_at)

    def test_leaves_the_cancellation_of_others_alone(self) -> None:
        async def cancel() -> None:
            task = asyncio.create_task(hold(Traffic(max_in_flight=1), 3600, []))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run_in_virtual_time(cancel())
