"""In which order requests begin their work, where more of them are ready than can be worked on."""

import asyncio
import time
from collections import deque
from collections.abc import Hashable

from attrs import define, field

_ALONE_AFTER_S = 10.0
_LOAD = 0.5
_MAX_REST_S = 0.05


@define(eq=False)
class Entrance:
    """Lets in one request of each key in a turn of the event loop, and one rejection.

    Whatever is ready in a turn delays all that becomes ready meanwhile. So where more requests of
    a key are ready than the processor can serve, they wait here, and not in the turns of others.
    A key that is ``restrained`` begins nothing more while this thread is busy for more than half of
    the time, so that the others find the event loop idle. If no other key has come for ten seconds,
    all enter at once.
    """

    _newest_key: Hashable = field(init=False, default=None)
    _alone_from: float = field(init=False, default=0.0)
    """When the newest key counts as the only one."""
    _entered: set[Hashable] = field(init=False, factory=set)
    """The keys of those that were let in since the last turn began."""
    _waiting: dict[Hashable, deque[asyncio.Future[None]]] = field(init=False, factory=dict)
    _restrained: set[Hashable] = field(init=False, factory=set)
    _rested_at: float = field(init=False, default=0.0)
    """When the thread has been idle for long enough."""
    _turn_at: float = field(init=False, default=0.0)
    _cpu_s: float = field(init=False, default=0.0)
    """The instant and the CPU time of the thread when the turn began."""
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    @property
    def is_shared(self) -> bool:
        """Whether several keys have come lately, or wait."""
        if not self._alone_from:
            return False
        return bool(self._waiting) or asyncio.get_running_loop().time() < self._alone_from

    def is_shared_with(self, key: Hashable) -> bool:
        """Note that a request of a key has come; return whether it has to wait for its turn."""
        if key != self._newest_key:
            if self._newest_key is not None:
                self._alone_from = asyncio.get_running_loop().time() + _ALONE_AFTER_S
            self._newest_key = key
        return self._alone_from > 0 and self.is_shared  # seldom called, since each call counts

    async def enter(self, key: Hashable, *, restrained: bool = False) -> None:
        """Wait until it is the turn of a request of this key: at once while no other has come."""
        if not self.is_shared_with(key):
            return
        if restrained:
            self._restrained.add(key)
        else:
            self._restrained.discard(key)
        await self._take_turn(key)

    async def enter_rejected(self) -> None:
        """Wait until it is the turn of a rejection."""
        await self._take_turn(self)

    async def _take_turn(self, key: Hashable) -> None:
        is_rested = asyncio.get_running_loop().time() >= self._rested_at
        if key not in self._waiting and self._may_enter(key, is_rested=is_rested):
            self._let_in(key)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        self._wake_once_rested()
        await turn

    def _may_enter(self, key: Hashable, *, is_rested: bool) -> bool:
        return key not in self._entered and (is_rested or key not in self._restrained)

    def _let_in(self, key: Hashable) -> None:
        if not self._entered:
            asyncio.get_running_loop().call_soon(self._begin_turn)
        self._entered.add(key)

    def _begin_turn(self) -> None:
        self._entered.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        is_rested = asyncio.get_running_loop().time() >= self._rested_at
        self._measure()
        for key, turns in list(self._waiting.items()):
            while turns and self._may_enter(key, is_rested=is_rested):
                turn = turns.popleft()
                if not turn.done():  # it is not cancelled
                    turn.set_result(None)
                    self._let_in(key)
            if not turns:
                del self._waiting[key]
        self._wake_once_rested()

    def _measure(self) -> None:
        """Let the time that the thread was busy be followed by as much that it may be idle."""
        now, cpu_s = asyncio.get_running_loop().time(), time.thread_time()
        rested_at = max(self._rested_at, self._turn_at) + (cpu_s - self._cpu_s) / _LOAD
        self._rested_at = min(rested_at, now + _MAX_REST_S)
        self._turn_at, self._cpu_s = now, cpu_s

    def _wake_once_rested(self) -> None:
        if self._waiting and not self._entered and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._rested_at, self._begin_turn)
