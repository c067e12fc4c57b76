"""A rate that several processes share, counted in Redis.

The packages that this needs are those of the extra ``redis``.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from attrs import define, field
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from typing_extensions import override

from adapters.rates.reasons import NO_ANSWER, reason_of
from adapters.rates.unknown import Cause, UnknownRates
from application.ports.rate_limiter import RateLimiter
from domain.rate import Rate

_log = logging.getLogger(__name__)
_NAME = "livekit-mute"
_PATIENCE_S = 0.05
_GIVE_UP_S = 1.0
_CHECK_AGAIN_S = 1.0
_MAX_CALLS = 8
_MAX_FULL = 10_000
_SLOW = "no answer within 50 ms"

_Answer = asyncio.Future[float | str]
"""For how long to wait, or why that is not known."""


@define(kw_only=True, eq=False)
class SharedRateLimiter(RateLimiter):
    """Asks Redis for the requests of a key that have come since it was asked last, all at once.

    So a flood of one tenant costs few calls. At most eight are made at once, each on a connection
    of its own, and none is made again. A request waits for 50 ms and passes; its call goes on for a
    second, so that it may still be counted, and then ends with its connection.
    """

    rate: Rate
    _strategy: MovingWindowRateLimiter
    _item: RateLimitItem
    _address: str
    _unknown: UnknownRates
    _free_calls: asyncio.Semaphore = field(
        init=False, factory=lambda: asyncio.Semaphore(_MAX_CALLS)
    )
    _waiting: dict[str, list[_Answer]] = field(init=False, factory=dict)
    """The requests of each key that is being asked about, which the next call will be for."""
    _tasks: set[asyncio.Task[None]] = field(init=False, factory=set)
    _full: dict[str, tuple[float, float]] = field(init=False, factory=dict)
    """By key until when no request passes, and when to ask Redis again: it may have restarted."""

    @override
    async def hit(self, key: str) -> float:
        if wait_s := self._known_wait_s(key):
            return wait_s
        answer: _Answer = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append(answer)
        else:
            self._waiting[key] = [answer]
            self.begin(self._answer_all(key))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await answer
        except TimeoutError:
            self._unknown.add(Cause.SLOW, _SLOW)
            return 0.0
        if isinstance(found, str):
            self._unknown.add(Cause.FAILED, found)
            return 0.0
        return found

    def _known_wait_s(self, key: str) -> float:
        if key not in self._full:
            return 0.0
        full_until, check_at = self._full[key]
        now = time.monotonic()
        if now < min(full_until, check_at):
            return full_until - now
        del self._full[key]
        return 0.0

    async def _answer_all(self, key: str) -> None:
        """Answer the requests of a key, and those that come meanwhile."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._free_calls.acquire()
        except TimeoutError:
            del self._waiting[key]  # these requests pass
            return
        try:
            while answers := [each for each in self._waiting[key] if not each.done()]:
                self._waiting[key] = []
                found = await self._ask(key, len(answers))
                for answer, wait_s in zip(answers, found, strict=True):
                    if not answer.done():
                        answer.set_result(wait_s)
        finally:
            self._free_calls.release()
            del self._waiting[key]

    async def _ask(self, key: str, number: int) -> Sequence[float | str]:
        """Return for each of so many requests what ``hit`` does or, if it is not known, why."""
        if wait_s := self._known_wait_s(key):
            return [wait_s] * number
        try:
            async with asyncio.timeout(_GIVE_UP_S):
                counted, full_until = await self._count(key, number)
        except Exception as error:  # noqa: BLE001 - no fault of a client's may fail a request
            return [reason_of(error, self._address)] * number
        if counted == number:
            return [0.0] * number
        wait_s = self._refuse(key, full_until)
        return [0.0] * counted + [wait_s] * (number - counted)

    async def _count(self, key: str, number: int) -> tuple[int, float]:
        """Count as many requests as pass.

        Returns:
            how many passed and, if that were not all, when the next one does (since 1970).
        """
        full_until = 0.0
        while number and not await self._strategy.hit(self._item, key, cost=number):
            window = await self._strategy.get_window_stats(self._item, key)
            number = max(0, min(number, window.remaining))
            full_until = window.reset_time
        return number, full_until

    def _refuse(self, key: str, full_until: float) -> float:
        """Note that no more requests pass for a while; return how long."""
        now, wait_s = time.monotonic(), max(0.001, full_until - time.time())
        self._full[key] = (now + wait_s, now + _CHECK_AGAIN_S)
        if len(self._full) > _MAX_FULL:
            del self._full[next(iter(self._full))]
        return wait_s

    async def verify(self) -> str:
        """Let Redis run both scripts, about a key that nobody has, and change nothing.

        Returns:
            why it cannot be used, empty if it can.
        """
        try:
            async with self._free_calls, asyncio.timeout(_GIVE_UP_S):
                await self._strategy.hit(self._item, "", cost=self.rate.quota + 1)
                await self._strategy.get_window_stats(self._item, "")
        except Exception as error:  # noqa: BLE001 - as above
            return reason_of(error, self._address)
        return ""

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Let something run until it is done or the limiter is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def open_shared(
    *, url: str, rate: Rate, unknown: UnknownRates, warm_up: bool = True
) -> AsyncIterator[SharedRateLimiter]:
    """Open a limiter; a Redis that cannot be used now is logged, and delays nothing.

    Args:
        url: of the Redis server, ``redis://`` or ``rediss://``.
        rate: that of each key.
        unknown: counts the requests that pass without.
        warm_up: whether to open all connections at once.
    """
    pool = ConnectionPool.from_url(
        url,
        max_connections=_MAX_CALLS,
        retry=Retry(NoBackoff(), 0),
        driver_info=DriverInfo(name=_NAME, lib_version=None),  # or else it reads files
    )
    storage = RedisStorage(
        url,
        implementation="redispy",
        key_prefix=_NAME,
        connection_pool=pool,  # type: ignore[arg-type]  # it is documented, and not declared
    )
    place = urlsplit(url)
    limiter = SharedRateLimiter(
        rate=rate,
        strategy=MovingWindowRateLimiter(storage),
        item=RateLimitItemPerSecond(rate.quota, rate.window_s, namespace="tenant"),
        address=f"{place.hostname}:{place.port or 6379}",
        unknown=unknown,
    )
    if warm_up:
        limiter.begin(_warm_up(limiter))
    try:
        yield limiter
    finally:
        await limiter.close()
        with suppress(Exception):
            async with asyncio.timeout(_GIVE_UP_S):
                await pool.disconnect()


async def _warm_up(limiter: SharedRateLimiter) -> None:
    """Open all connections, so that the first requests do not wait for that."""
    verified = await asyncio.gather(*(limiter.verify() for _ in range(_MAX_CALLS)))
    if reasons := [each for each in verified if each]:
        reason = min(reasons, key=lambda each: each == NO_ANSWER)  # which explains least
        _log.warning("Redis cannot be used yet", extra={"reason": reason})
