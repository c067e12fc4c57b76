"""Rate limits: driving-side interfaces that entrypoints call before they run a use case.

No use case depends on them.
"""

from abc import abstractmethod
from typing import Protocol

from domain.rate import Rate


class RateLimiter(Protocol):
    """Counts requests by key, and refuses those beyond a rate."""

    @property
    @abstractmethod
    def rate(self) -> Rate:
        """The rate of each key."""

    @abstractmethod
    async def hit(self, key: str) -> float:
        """Count a request, unless it is one too many.

        It takes 50 ms at most, and raises nothing: where the rate cannot be known, the request
        passes.

        Returns:
            0 if the request passes, otherwise after how many seconds the next one would.
        """


class FailureLimiter(Protocol):
    """Counts failures by key, and knows who has had too many."""

    @property
    @abstractmethod
    def rate(self) -> Rate:
        """The rate of each key."""

    @abstractmethod
    def wait_s(self, key: str) -> float:
        """Return after how many seconds the key may fail again, 0 if it may now."""

    @abstractmethod
    def add(self, key: str) -> None:
        """Count a failure, also one too many: some may be under way at once."""
