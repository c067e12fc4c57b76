"""The limits of the HTTP entrypoint."""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """How much a client may send, how many may connect, and how long each step may take."""

    max_connections: int = 2048
    max_in_flight: int = 512
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
    shutdown_delay_s: float = 1.0
    """How long a graceful shutdown goes on accepting clients, so that they learn of it."""
