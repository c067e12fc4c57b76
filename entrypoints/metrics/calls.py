"""The calls of one server, counted."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from attrs import define, field
from typing_extensions import override

from adapters.http_client.telemetry import Attempt, Outcome, Report, Telemetry
from entrypoints.metrics.histogram import Histogram


@define(kw_only=True, eq=False)
class CountedCalls(Telemetry):
    """Counts the calls of one server, or the checks of who is calling.

    Attributes:
        seconds: of the calls, by ``labels``, method and outcome.
        rooms: how many rooms each read is about.
        retries: how many calls repeat another one, by the reason.
        open_connections: how many there are now.
        last_ok_s: when a call last ended well, in seconds since 1970; 0 before the first.
    """

    seconds: Histogram
    rooms: Histogram
    labels: Sequence[str] = ()
    retries: Counter[str] = field(init=False, factory=Counter)
    open_connections: int = field(init=False, default=0)
    last_ok_s: float = field(init=False, default=0.0)

    @override
    def begin(self, method: str, *, attempt: Attempt = Attempt.FIRST, rooms: int = 0) -> Report:
        if attempt is not Attempt.FIRST:
            self.retries[attempt] += 1
        if rooms:
            self.rooms.observe((), rooms)
        return _CountedCall(self, method)

    @override
    def current(self) -> object:
        return None

    @override
    def share(self, origins: Sequence[object]) -> None:
        """Do nothing."""

    @override
    def connections(self, number: int) -> None:
        self.open_connections = number


@define(eq=False)
class _CountedCall(Report):
    _calls: CountedCalls
    _method: str
    headers: Mapping[str, str] = field(init=False, default=MappingProxyType({}))
    _began_s: float = field(init=False, factory=time.perf_counter)

    @override
    def end(self, outcome: Outcome) -> None:
        calls = self._calls
        seconds = time.perf_counter() - self._began_s
        calls.seconds.observe((*calls.labels, self._method, outcome), seconds)
        if outcome is Outcome.OK:
            calls.last_ok_s = time.time()
