"""What is asked of LiveKit at most, and what is waited for."""

from attrs import frozen


@frozen(kw_only=True)
class Bounds:
    """The bounds of a gateway to LiveKit."""

    max_connections: int = 1024
    """A mute in flight may need two."""
    max_rooms_per_read: int = 16
    """No more, for an answer is read up to 1.25 MiB and a room may bring 64 KB of metadata."""
    probe_delay_s: float = 0.1
    """How long a mute may be silent before its participant is looked for."""
    timeout_s: float = 5.0
    """Within how many seconds each call of the gateway answers or fails."""
    token_life_s: float = 600.0
    """How long LiveKit takes a token of ours; each is used for half of it."""
