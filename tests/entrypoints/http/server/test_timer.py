import asyncio

from entrypoints.http.server.timer import Timer
from tests.support.virtual_time import run_in_virtual_time


class TestTimer:
    def test_fires_once_after_its_delay_and_can_be_started_again(self) -> None:
        async def fire() -> list[float]:
            loop, fired = asyncio.get_running_loop(), list[float]()
            timer = Timer(5.0)
            timer.start(lambda: fired.append(loop.time()))
            await asyncio.sleep(3)
            timer.start(lambda: fired.append(-1))  # it is running already
            await asyncio.sleep(7)
            timer.start(lambda: fired.append(loop.time()))
            await asyncio.sleep(3600)
            return fired

        assert run_in_virtual_time(fire()) == [5.0, 15.0]

    def test_does_not_fire_once_stopped(self) -> None:
        async def stop() -> list[float]:
            fired = list[float]()
            timer = Timer(5.0)
            timer.stop()
            timer.start(lambda: fired.append(1))
            await asyncio.sleep(4)
            timer.stop()
            await asyncio.sleep(3600)
            return fired

        assert run_in_virtual_time(stop()) == []
