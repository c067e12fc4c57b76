"""How much of what a client may ask for, and for how long."""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """The bounds of the REST API."""

    max_connections: int = 2048
    max_in_flight: int = 512
    max_line_bytes: int = 8190
    max_body_bytes: int = 16 * 1024
    max_token_bytes: int = 4 * 1024
    max_track_sid_characters: int = 128
    headers_timeout_s: float = 10.0
    body_timeout_s: float = 5.0
    idle_timeout_s: float = 75.0
    drain_timeout_s: float = 10.0
    request_timeout_s: float = 10.0
    """How long a request may take from its arrival, all who are asked on its behalf included."""
    leaving_s: float = 1.0
    """How long a server that was told to stop goes on serving, so that its clients learn of it."""
