"""The limits of the HTTP entrypoint."""

from attrs import field, frozen


@frozen(kw_only=True)
class Limits:
    """How much a client may send, how many may connect, and how long each step may take."""

    max_connections: int = 2048
    max_in_flight: int = 512
    max_in_flight_per_tenant: int = field()
    """The share of a tenant while others want in; a quarter of all, at least one."""
    max_line_bytes: int = 8190
    max_body_bytes: int = 16 * 1024
    max_token_bytes: int = 4 * 1024
    max_track_sid_characters: int = 128
    headers_timeout_s: float = 10.0
    body_timeout_s: float = 5.0
    body_grace_s: float = 1.0
    """How long a new request's body may take while too many others are receiving theirs."""
    idle_timeout_s: float = 75.0
    drain_timeout_s: float = 10.0
    request_timeout_s: float = 10.0
    """From a request's arrival to its response, upstream calls included."""
    ready_timeout_s: float = 0.8
    """How long a readiness probe may wait for LiveKit; a kubelet waits 1 s for the whole answer."""
    leave_delay_s: float = 1.0
    """How long a graceful shutdown goes on accepting clients, so that they learn of it."""

    @property
    def max_admitted(self) -> int:
        """The most requests whose body is complete: the limit and one share beyond it."""
        return self.max_in_flight + min(self.max_in_flight, self.max_in_flight_per_tenant)

    @max_in_flight_per_tenant.default
    def _quarter(self) -> int:
        return max(1, self.max_in_flight // 4)
