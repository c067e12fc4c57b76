"""A clock that stands still until a test sets it."""

from attrs import define


@define
class HandSetClock:
    """Tells the seconds that it was set to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
