"""The load generator's input and output, exchanged as JSON."""

from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Exchange:
    """A request, and the answer to expect.

    Attributes:
        request: its head and body, as sent.
        status: the expected status.
        members: members that the answer's JSON object must contain.
    """

    request: str
    status: int
    members: dict[str, Any]


@frozen(kw_only=True)
class LoadConfig:
    """A closed loop: on each connection the next request follows the answer to the last.

    Attributes:
        exchanges: repeated in turn, shared by all connections.
        idle_connections: number of further open connections, each used once for ``GET /``.
        seconds: how long each period after the warm-up takes.
        timeout_s: how much longer than asked for a period may take.
    """

    url: str
    connections: int
    idle_connections: int
    exchanges: tuple[Exchange, ...]
    warm_up_s: float
    seconds: float
    timeout_s: float


@frozen(kw_only=True)
class LoadResult:
    """The measurements of one period in which every answer was as expected."""

    requests: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    load_cpu_s: float
