"""Items that wait, in a fair order."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T", bound=Hashable)


@define(eq=False)
class Turns(Generic[T]):
    """Keys take turns; the items of one key are first come, first served."""

    by_key: dict[Hashable, dict[T, None]] = field(init=False, factory=dict)
    """The items of each key, oldest first; the first key is the next. Empty if nobody waits."""

    def __iter__(self) -> Iterator[T]:
        for items in self.by_key.values():
            yield from items

    def add(self, key: Hashable, item: T) -> None:
        """Let an item wait behind those of its key."""
        self.by_key.setdefault(key, {})[item] = None

    def discard(self, key: Hashable, item: T) -> None:
        """Let an item wait no longer, if it does."""
        items = self.by_key.get(key, {})
        items.pop(item, None)
        if not items:
            self.by_key.pop(key, None)

    def pop(self) -> T:
        """Take the item whose turn it is; one has to be there."""
        key = next(iter(self.by_key))
        items = self.by_key.pop(key)
        item = next(iter(items))
        del items[item]
        if items:
            self.by_key[key] = items
        return item

    def pop_all(self, key: Hashable) -> list[T]:
        """Take all items of a key, oldest first."""
        return list(self.by_key.pop(key, ()))
