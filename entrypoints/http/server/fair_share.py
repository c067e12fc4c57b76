"""Places that a lone taker may have all of, and several takers share."""

from collections.abc import Hashable

from attrs import define, field


@define(kw_only=True, eq=False)
class FairShare:
    """Counts who has how many places; a key stands for one taker, ``None`` for all without a key.

    While fewer than ``limit`` places are taken, anybody gets one. Beyond it there is one ``share``
    more for those who have little: a key gets a place of it while it has fewer places than are
    left. So each takes at most half of what is left, and there is some for the next.
    """

    limit: int
    share: int
    taken: int = field(init=False, default=0)
    _by_key: dict[Hashable, int] = field(init=False, factory=dict)

    def has_place(self, key: Hashable) -> bool:
        """Return whether a key gets one more place."""
        return self.taken < self.limit or (
            key is not None and self.taken_by(key) < self.limit + self.share - self.taken
        )

    def taken_by(self, key: Hashable) -> int:
        """Return how many places a key has."""
        return self._by_key.get(key, 0)

    def take(self, key: Hashable) -> None:
        """Take a place, whether there is one or not."""
        self.taken += 1
        if key is not None:
            self._by_key[key] = self._by_key.get(key, 0) + 1

    def give_back(self, key: Hashable) -> None:
        """Give a place back that was taken for this key."""
        self.taken -= 1
        if key is not None:
            left = self._by_key[key] - 1
            if left:
                self._by_key[key] = left
            else:
                del self._by_key[key]
