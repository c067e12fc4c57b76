"""One structured event for each request: the access log."""

import re
from collections.abc import Mapping
from traceback import format_tb

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from application.ports.authenticator import AuthenticatorError
from application.ports.room_gateway import RoomGatewayError
from domain.caller import IdentifiedCaller
from domain.room import RoomNotFoundError
from entrypoints.http.api.context import Observer, RequestContext
from entrypoints.http.server.errors import RequestError
from entrypoints.redaction import name_digest

EVENT = "request"

_MAX_CHARACTERS = 256
_SECRETS_BEHIND = re.compile("[?;]")


def request_log(log: FilteringBoundLogger) -> Observer:
    """Make the observer that logs requests: errors of ours as errors, deviations as warnings."""

    def observe(request: web.BaseRequest, context: RequestContext) -> None:
        event = _event(request, context)
        if context.routine:
            log.debug(EVENT, **event)
        elif context.status >= 500:  # noqa: PLR2004 - the class of HTTP status
            log.error(EVENT, **event)
        elif context.deviates:
            log.warning(EVENT, **event)
        else:
            log.info(EVENT, **event)

    return observe


def _event(request: web.BaseRequest, context: RequestContext) -> dict[str, object]:
    """Return the fields of an event: an operation's own, cut at 256 characters, then the common.

    What is cut has a digest beside it, which tells it from others that begin alike.
    """
    event = context.details.copy()
    for name, value in context.details.items():
        if isinstance(value, str) and len(value) > _MAX_CHARACTERS:
            event[name] = value[:_MAX_CHARACTERS]
            event[f"{name}_sha256"] = name_digest(value)
    event |= {
        "request_id": context.request_id,
        "method": request.method[:_MAX_CHARACTERS],
        "path": _SECRETS_BEHIND.split(request.path, maxsplit=1)[0][:_MAX_CHARACTERS],
        "status": context.status,
        "code": context.code,
        "elapsed_ms": round(context.elapsed_s * 1000, 3),
    }
    if context.client:
        event["client"] = context.client
    if context.trace_id:
        event["trace_id"] = context.trace_id
    if isinstance(context.caller, IdentifiedCaller):
        event["caller_id"] = context.caller.id
    if context.source:
        event["source"] = context.source
    if context.credential:
        event["credential"] = context.credential[:_MAX_CHARACTERS]
    if context.error:
        event.update(_reason(context.error, context.code))
    return event


def _reason(error: Exception, code: str) -> Mapping[str, object]:
    """Say why a request failed; of an unexpected exception its type and place, not its text."""
    match error.__cause__ or error:
        case RoomNotFoundError(reason=reason, problem=problem):
            return {"reason": f"{reason.value}: {problem}" if problem else reason.value}
        case RoomGatewayError(reason=reason) | AuthenticatorError(reason=reason):
            return {"reason": reason}
        case cause if code == "INTERNAL_ERROR":
            return {"reason": type(cause).__name__, "stack": format_tb(cause.__traceback__)}
        case RequestError() as cause:
            return {"reason": str(cause)}
        case _:
            return {}
