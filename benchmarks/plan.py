"""What the load is told to do, and what it tells back; both travel as JSON."""

from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Exchange:
    """A request as it goes over the wire, and what an answer has to be.

    Attributes:
        request: all of its bytes, as text.
        status: the status to expect.
        members: what the answer's JSON has to hold.
    """

    request: str
    status: int
    members: dict[str, Any]


@frozen(kw_only=True)
class Plan:
    """A closed loop: on each connection the next request follows the answer to the last.

    Attributes:
        exchanges: gone through in turn, over and over, by all connections together.
        idle_connections: so many more are open beside, each used once for ``GET /``.
    """

    url: str
    connections: int
    idle_connections: int
    exchanges: tuple[Exchange, ...]
    warm_up_s: float
    seconds: float


@frozen(kw_only=True)
class Outcome:
    """What a measured stretch came to, all of its answers as expected."""

    requests: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    load_cpu_s: float
