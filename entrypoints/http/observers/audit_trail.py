"""Who asked to mute whom, and what became of it: one event for each request that is on record."""

from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from entrypoints.http.api.context import Observer, RequestContext
from entrypoints.http.observers.fields import request_fields

VERSION = 1
"""Of the events' schema, ``contract/audit-event.schema.json``."""


def audit_trail(write: Callable[[dict[str, object]], None]) -> Observer:
    """Make the observer that hands an event to ``write`` for each request that was authenticated.

    So it does for each that failed to be, or while it was.
    """

    def observe(request: web.BaseRequest, context: RequestContext) -> None:
        if context.reached_authentication:
            now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
            event = request_fields(request, context)
            write({"event": "audit", "version": VERSION, "timestamp": f"{now}Z", **event})

    return observe
