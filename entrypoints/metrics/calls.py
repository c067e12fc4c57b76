"""The calls of one server, counted."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import define, field
from typing_extensions import override

from adapters.http_client.telemetry import Attempt, Outcome, Report, Telemetry
from entrypoints.metrics.histogram import Histogram

_FIRST, _OK = Attempt.FIRST, Outcome.OK  # found once: it takes a while in Python 3.11


@define(kw_only=True, eq=False)
class CountedCalls(Telemetry):
    """Counts the calls of one server, or the checks of who is calling.

    Attributes:
        seconds: of the calls, by ``labels``, method and outcome.
        rooms: how many rooms each read is about.
        retries: how many calls repeat another one, by the reason.
        open_connections: how many there are now.
        last_ok: when a call last ended well, on the clock of ``time.perf_counter``.
    """

    seconds: Histogram
    rooms: Histogram
    labels: Sequence[str] = ()
    retries: Counter[str] = field(init=False, factory=Counter)
    open_connections: int = field(init=False, default=0)
    last_ok: float | None = field(init=False, default=None)

    @override
    def begin(self, method: str, *, attempt: Attempt = _FIRST, rooms: int = 0) -> Report:
        if attempt is not _FIRST:
            self.retries[attempt] += 1
        if rooms:
            self.rooms.observe((), rooms)
        return _CountedCall(self, method, time.perf_counter())

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
    _began: float
    headers: ClassVar[Mapping[str, str]] = {}

    @override
    def end(self, outcome: Outcome) -> None:
        calls, now = self._calls, time.perf_counter()
        calls.seconds.observe((*calls.labels, self._method, outcome), now - self._began)
        if outcome is _OK:
            calls.last_ok = now
