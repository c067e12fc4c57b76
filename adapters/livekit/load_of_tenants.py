"""Which tenants ask for so much, or so slowly, that their rooms are read apart."""

import asyncio
from collections.abc import Collection, Hashable

from attrs import define, field

_SLOW_S = 0.08  # a little less than a batch waits for a slow one
_MANY = 4

Batch = asyncio.Future[None]
"""Done once a batch of lookups has its answer."""


@define(eq=False)
class LoadOfTenants:
    """Counts each tenant's lookups that have not ended, and its batches that have no answer."""

    _lookups: dict[Hashable, int] = field(init=False, factory=dict)
    _unanswered: dict[Hashable, dict[Batch, float]] = field(init=False, factory=dict)
    """When each batch with rooms of a tenant was sent, oldest first."""
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)

    def begin(self, tenant: Hashable) -> None:
        """Count a lookup."""
        self._lookups[tenant] = self._lookups.get(tenant, 0) + 1

    def end(self, tenant: Hashable) -> bool:
        """Count a lookup no longer; return whether it was the tenant's last one."""
        self._lookups[tenant] -= 1
        if self._lookups[tenant]:
            return False
        del self._lookups[tenant]
        return True

    def sent(self, batch: Batch, tenants: Collection[Hashable]) -> None:
        """Note that a batch with rooms of these tenants has been sent."""
        now = self._loop.time()
        for each in tenants:
            self._unanswered.setdefault(each, {})[batch] = now

    def answered(self, batch: Batch, tenants: Collection[Hashable]) -> None:
        """Note that it has its answer."""
        for each in tenants:
            batches = self._unanswered[each]
            del batches[batch]
            if not batches:
                del self._unanswered[each]

    def is_heavy(self, tenant: Hashable) -> bool:
        """Return whether a tenant waits for an answer, and has many lookups or a slow one."""
        unanswered = self._unanswered.get(tenant)
        if not unanswered:
            return False
        slow_at = next(iter(unanswered.values())) + _SLOW_S
        return self._lookups.get(tenant, 0) >= _MANY or self._loop.time() >= slow_at

    def newest_batch(self, tenant: Hashable) -> Batch:
        """Return the batch that was sent last of those a heavy tenant waits for."""
        return next(reversed(self._unanswered[tenant]))
