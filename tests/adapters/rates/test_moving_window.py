from collections.abc import Callable

import pytest

from adapters.rates.moving_window import MovingWindow
from domain.rate import Rate
from tests.support.hand_set_clock import HandSetClock


@pytest.fixture
def clock() -> HandSetClock:
    return HandSetClock()


Make = Callable[..., MovingWindow]


@pytest.fixture
def make(clock: HandSetClock) -> Make:
    def window(quota: int, window_s: int = 10, **bounds: int) -> MovingWindow:
        return MovingWindow(rate=Rate(quota=quota, window_s=window_s), clock=clock, **bounds)

    return window


class TestHit:
    async def test_passes_as_many_as_the_rate_allows(self, make: Make) -> None:
        window = make(3)
        assert [await window.hit("a") for _ in range(5)] == [0, 0, 0, 10, 10]

    async def test_tells_when_the_oldest_leaves_the_window(
        self, make: Make, clock: HandSetClock
    ) -> None:
        window = make(2)
        await window.hit("a")
        clock.now += 4
        await window.hit("a")
        clock.now += 1
        assert await window.hit("a") == 5
        clock.now += 5
        assert await window.hit("a") == 0
        assert await window.hit("a") == 4

    async def test_does_not_count_what_it_refuses(self, make: Make, clock: HandSetClock) -> None:
        window = make(1)
        await window.hit("a")
        for _ in range(9):
            clock.now += 1
            assert await window.hit("a") > 0
        clock.now += 1
        assert await window.hit("a") == 0

    async def test_never_passes_more_in_any_window(self, make: Make, clock: HandSetClock) -> None:
        window, passed = make(5), list[float]()
        for step in range(400):
            clock.now += 0.1 * (step % 7)
            if await window.hit("a") == 0:
                passed.append(clock.now)
        assert len(passed) > 50
        assert min(b - a for a, b in zip(passed, passed[5:], strict=False)) >= 10

    async def test_counts_each_key_on_its_own(self, make: Make) -> None:
        window = make(1)
        assert [await window.hit(key) for key in ("a", "b", "a", "b")] == [0, 0, 10, 10]


class TestFailures:
    def test_are_counted_beyond_the_rate_too(self, make: Make, clock: HandSetClock) -> None:
        window = make(2)
        for _ in range(3):  # under way at once
            window.add("a")
            clock.now += 1
        assert window.wait_s("a") == 8
        assert window.wait_s("b") == 0


class TestMemory:
    def size(self, window: MovingWindow) -> int:
        return len(window._times)  # noqa: SLF001 - memory has no other outside

    def test_holds_no_key_whose_window_is_empty(self, make: Make, clock: HandSetClock) -> None:
        window = make(2)
        for number in range(100):
            window.add(f"key-{number}")
        assert self.size(window) == 100
        clock.now += 10
        window.add("another")
        assert self.size(window) == 1

    def test_holds_no_more_keys_than_its_bound(self, make: Make) -> None:
        window = make(1, max_keys=3)
        for key in "abcad":
            window.add(key)
        assert [window.wait_s(key) for key in "abcd"] == [10, 0, 10, 10]

    def test_holds_no_more_times_than_its_bound(self, make: Make) -> None:
        window = make(4, max_times=9)
        for key in "aaaabbbbcccc":
            window.add(key)
        assert [window.wait_s(key) for key in "abc"] == [0, 10, 10]
        assert window._number == 8  # noqa: SLF001 - as above

    def test_is_flat(self, make: Make, clock: HandSetClock) -> None:
        window = make(5)
        for number in range(30_000):
            window.add(f"key-{number}")
            clock.now += 0.001
        assert self.size(window) == 10_000
