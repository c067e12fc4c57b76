"""One structured event for each request: the access log."""

from traceback import format_tb

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from entrypoints.digest import name_digest
from entrypoints.http.api.context import Observer, RequestContext
from entrypoints.http.observers.fields import MAX_CHARACTERS, request_fields

EVENT = "request"


def request_log(log: FilteringBoundLogger, *, details: bool = True) -> Observer:
    """Make the observer that logs requests: errors of ours as errors, deviations as warnings.

    Without ``details`` the event does not tell what an operation acted on.
    """

    def observe(request: web.BaseRequest, context: RequestContext) -> None:
        event = _event(request, context, details=details)
        if context.routine:
            log.debug(EVENT, **event)
        elif context.status >= 500:  # noqa: PLR2004 - the class of HTTP status
            log.error(EVENT, **event)
        elif context.deviates:
            log.warning(EVENT, **event)
        else:
            log.info(EVENT, **event)

    return observe


def _event(
    request: web.BaseRequest, context: RequestContext, *, details: bool
) -> dict[str, object]:
    """Return the fields of an event, names cut at 256 characters, and the place of a bug.

    What is cut of an operation's own has a digest beside it, which tells it from others that begin
    alike.
    """
    event = request_fields(request, context, details=details)
    for name, value in context.details.items() if details else ():
        if isinstance(value, str) and len(value) > MAX_CHARACTERS:
            event[name] = value[:MAX_CHARACTERS]
            event[f"{name}_sha256"] = name_digest(value)
    if len(context.credential) > MAX_CHARACTERS:
        event["credential"] = context.credential[:MAX_CHARACTERS]
    if context.error and context.code == "INTERNAL_ERROR":
        cause = context.error.__cause__ or context.error
        event["stack"] = format_tb(cause.__traceback__)
    return event
