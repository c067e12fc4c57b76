"""A telemetry that remembers what it is told."""

from collections.abc import MutableMapping, Sequence

from attrs import define, field

from adapters.http_client.telemetry import Attempt, CallInfo, End, EndedCall, Outcome, Telemetry


@define(eq=False)
class RecordedCall:
    method: str
    attempt: Attempt
    rooms: int
    outcomes: list[Outcome] = field(init=False, factory=list)


@define(eq=False)
class RecordedCalls:
    """Gives a header to each call, and a number to each task that is asked what it belongs to."""

    calls: list[RecordedCall] = field(init=False, factory=list)
    ended: list[EndedCall] = field(init=False, factory=list)
    shared: list[Sequence[object]] = field(init=False, factory=list)
    open_connections: int = field(init=False, default=0)
    _asked: int = field(init=False, default=0)

    @property
    def telemetry(self) -> Telemetry:
        return Telemetry(
            begin=self._begin,
            ended=self.ended.append,
            current=self._current,
            share=self.shared.append,
            connections=self._connections,
        )

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """The method of each call and its outcome, which it has to have exactly once."""
        return [(each.method, ", ".join(each.outcomes)) for each in self.calls]

    @property
    def counted(self) -> list[tuple[str, str, int, str]]:
        """The method of each call that has ended, why it was made, its rooms and its outcome."""
        assert all(0 < began <= ended for _, _, began, ended in self.ended)
        return [(*info, outcome) for info, outcome, _, _ in self.ended]

    @property
    def attempts(self) -> list[tuple[str, str]]:
        return [(each.method, each.attempt) for each in self.calls]

    def _begin(self, info: CallInfo, headers: MutableMapping[str, str]) -> End:
        headers["traceparent"] = f"trace-{len(self.calls)}"
        call = RecordedCall(*info)
        self.calls.append(call)
        return call.outcomes.append

    def _current(self) -> object:
        self._asked += 1
        return self._asked

    def _connections(self, number: int) -> None:
        self.open_connections = number
