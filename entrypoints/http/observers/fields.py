"""What observers write of a request: one set of names for the log and the audit trail."""

import re

from aiohttp import web

from application.ports.authenticator import AuthenticatorError
from application.ports.room_gateway import RoomGatewayError
from domain.caller import IdentifiedCaller
from domain.room import RoomNotFoundError
from entrypoints.http.api.context import RequestContext
from entrypoints.http.server.errors import OverloadedError, RequestError

MAX_CHARACTERS = 256
_SECRETS_BEHIND = re.compile("[?;]")


def request_fields(
    request: web.BaseRequest, context: RequestContext, *, details: bool = True
) -> dict[str, object]:
    """Return who asked for what and what became of it; what is not known has no field.

    Names are whole; the method and the path are cut at 256 characters. An operation's own fields
    are left out unless ``details``.
    """
    event = context.details.copy() if details else {}
    event |= {
        "request_id": context.request_id,
        "method": request.method[:MAX_CHARACTERS],
        "path": _SECRETS_BEHIND.split(request.path, maxsplit=1)[0][:MAX_CHARACTERS],
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
        event["credential"] = context.credential
    if context.error and (reason := _reason(context.error, context.code)):
        event["reason"] = reason
    return event


def _reason(error: Exception, code: str) -> str:
    """Say why a request failed; of an unexpected exception its type, not its text."""
    match error.__cause__ or error:
        case RoomNotFoundError(reason=reason, problem=problem):
            return f"{reason.value}: {problem}" if problem else reason.value
        case (
            RoomGatewayError(reason=reason)
            | AuthenticatorError(reason=reason)
            | OverloadedError(reason=reason)
        ):
            return reason
        case cause if code == "INTERNAL_ERROR":
            return type(cause).__name__
        case RequestError() as cause:
            return str(cause)
        case _:
            return ""
