"""A telemetry that remembers what it is told."""

from collections.abc import Mapping, Sequence

from attrs import define, field
from typing_extensions import override

from adapters.http_client.telemetry import Attempt, Outcome, Report, Telemetry


@define(eq=False)
class RecordedCall(Report):
    method: str
    attempt: Attempt
    rooms: int
    headers: Mapping[str, str]
    outcomes: list[Outcome] = field(init=False, factory=list)

    @override
    def end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@define(eq=False)
class RecordedCalls(Telemetry):
    """Gives a header to each call, and a number to each task that is asked what it belongs to."""

    calls: list[RecordedCall] = field(init=False, factory=list)
    shared: list[Sequence[object]] = field(init=False, factory=list)
    open_connections: int = field(init=False, default=0)
    _asked: int = field(init=False, default=0)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """The method of each call and its outcome, which it has to have exactly once."""
        return [(each.method, ", ".join(each.outcomes)) for each in self.calls]

    @property
    def attempts(self) -> list[tuple[str, str]]:
        return [(each.method, each.attempt) for each in self.calls]

    @override
    def begin(self, method: str, *, attempt: Attempt = Attempt.FIRST, rooms: int = 0) -> Report:
        call = RecordedCall(method, attempt, rooms, {"traceparent": f"trace-{len(self.calls)}"})
        self.calls.append(call)
        return call

    @override
    def current(self) -> object:
        self._asked += 1
        return self._asked

    @override
    def share(self, origins: Sequence[object]) -> None:
        self.shared.append([*origins])

    @override
    def connections(self, number: int) -> None:
        self.open_connections = number
