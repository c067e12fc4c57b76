"""On whose behalf a gateway is asked, so that one whose calls wait can let tenants take turns."""

from collections.abc import Hashable
from contextvars import ContextVar

TENANT: ContextVar[Hashable] = ContextVar("tenant", default=None)
"""The tenant that the current task works for; ``None`` for a caller without an id."""
