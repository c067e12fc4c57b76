"""Limits of the calls to LiveKit."""

from attrs import frozen


@frozen(kw_only=True)
class LiveKitLimits:
    """The limits of one gateway; each call's time is limited by its own deadline."""

    max_connections: int = 1024
    """A mute in flight may need three."""
    max_rooms_per_read: int = 16
    """An answer is read up to 1.25 MiB; the rooms of a larger one are read one by one."""
    probe_delay_s: float = 0.1
    """How long to wait for a mute before checking that the participant exists."""
    token_life_s: float = 600.0
    """How long LiveKit accepts a token of ours; each is used for half of that."""
