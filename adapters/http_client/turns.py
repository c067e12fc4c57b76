"""Items that wait, in a fair order."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T", bound=Hashable)


@define(eq=False)
class Turns(Generic[T]):
    """Keys take turns; the items of one key are first come, first served."""

    _of: dict[Hashable, dict[T, None]] = field(init=False, factory=dict)
    """The items of each key, oldest first; the first key is the next."""

    def __bool__(self) -> bool:
        return bool(self._of)

    def __iter__(self) -> Iterator[T]:
        for items in self._of.values():
            yield from items

    @property
    def keys(self) -> list[Hashable]:
        """Those whose items wait, the next one first."""
        return list(self._of)

    def add(self, key: Hashable, item: T) -> None:
        """Let an item wait behind those of its key."""
        self._of.setdefault(key, {})[item] = None

    def discard(self, key: Hashable, item: T) -> None:
        """Let an item wait no longer, if it does."""
        items = self._of.get(key, {})
        items.pop(item, None)
        if not items:
            self._of.pop(key, None)

    def pop(self) -> T:
        """Take the item whose turn it is; one has to be there."""
        key = next(iter(self._of))
        items = self._of.pop(key)
        item = next(iter(items))
        del items[item]
        if items:
            self._of[key] = items
        return item

    def pop_all(self, key: Hashable) -> list[T]:
        """Take all items of a key, oldest first."""
        return list(self._of.pop(key, ()))
