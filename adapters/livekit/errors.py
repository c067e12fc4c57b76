"""LiveKit's errors as the port's, translated in one place, by tables."""

from collections.abc import Mapping

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api.twirp_client import ServerError, ServerErrorCode

from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)

FOREIGN_ERRORS = (
    ServerError,
    aiohttp.ClientError,
    OSError,  # TimeoutError is one
    DecodeError,
)
"""All that livekit-api lets through, except for cancellation, which is never translated."""

NO_ANSWER_IN_TIME = "no answer before the deadline"


class AbsentError(RoomGatewayRefusedError):
    """LiveKit says that what the call is about does not exist; a refusal where it has to."""


class PreconditionFailedError(RoomGatewayRefusedError):
    """LiveKit's settings rule the call out; a refusal like others, except to an unmute."""


class ConnectionLostError(RoomGatewayUnavailableError):
    """The connection ended before the answer; a read may be retried."""


class UnusableAnswerError(RoomGatewayUnavailableError):
    """LiveKit answered, but nothing that can be understood or trusted."""


MEANINGS: Mapping[str, type[RoomGatewayRefusedError | RoomGatewayUnavailableError]] = {
    ServerErrorCode.CANCELED: RoomGatewayUnavailableError,
    ServerErrorCode.UNKNOWN: RoomGatewayUnavailableError,  # also where it is no Twirp error
    ServerErrorCode.INVALID_ARGUMENT: RoomGatewayRefusedError,
    ServerErrorCode.MALFORMED: RoomGatewayRefusedError,
    ServerErrorCode.DEADLINE_EXCEEDED: RoomGatewayUnavailableError,
    ServerErrorCode.NOT_FOUND: AbsentError,
    ServerErrorCode.BAD_ROUTE: RoomGatewayRefusedError,
    ServerErrorCode.ALREADY_EXISTS: RoomGatewayRefusedError,
    ServerErrorCode.PERMISSION_DENIED: RoomGatewayRefusedError,
    ServerErrorCode.UNAUTHENTICATED: RoomGatewayRefusedError,
    ServerErrorCode.RESOURCE_EXHAUSTED: RoomGatewayRefusedError,
    ServerErrorCode.FAILED_PRECONDITION: PreconditionFailedError,
    ServerErrorCode.ABORTED: RoomGatewayRefusedError,
    ServerErrorCode.OUT_OF_RANGE: RoomGatewayRefusedError,
    ServerErrorCode.UNIMPLEMENTED: RoomGatewayUnavailableError,
    ServerErrorCode.INTERNAL: RoomGatewayUnavailableError,
    ServerErrorCode.UNAVAILABLE: RoomGatewayUnavailableError,
    ServerErrorCode.DATA_LOSS: RoomGatewayUnavailableError,
}


_KINDS: Mapping[type[Exception], tuple[type[RoomGatewayUnavailableError], str]] = {
    TimeoutError: (RoomGatewayUnavailableError, NO_ANSWER_IN_TIME),
    aiohttp.ClientConnectorError: (RoomGatewayUnavailableError, "cannot connect"),
    aiohttp.ServerDisconnectedError: (ConnectionLostError, "connection lost"),
    aiohttp.ClientOSError: (ConnectionLostError, "connection lost"),
    aiohttp.ClientPayloadError: (UnusableAnswerError, "answer incomplete"),
    DecodeError: (UnusableAnswerError, "answer is not the expected message"),
}
"""By the first class that an error is of; the name of its own class is added to the reason."""


def translate(error: Exception) -> RoomGatewayError:
    """Give the port's error for one of livekit-api's, without any text of LiveKit's own."""
    if isinstance(error, ServerError):
        return _from_answer(error.code, error.status)
    for foreign, (kind, reason) in _KINDS.items():
        if isinstance(error, foreign):
            return kind(reason=f"{reason} ({type(error).__name__})")
    return RoomGatewayUnavailableError(reason=f"call failed ({type(error).__name__})")


def _from_answer(code: object, status: int) -> RoomGatewayError:
    """Judge by status first: a proxy in front of LiveKit has statuses, but no Twirp codes."""
    known = code if isinstance(code, str) and code in MEANINGS else "an unknown code"
    reason = f"answered {status} with {known}"
    if not 400 <= status < 500:  # noqa: PLR2004 - the class of HTTP status
        return RoomGatewayUnavailableError(reason=reason)
    if status in (401, 403):
        return RoomGatewayRefusedError(reason=reason)
    if not isinstance(code, str):
        return RoomGatewayUnavailableError(reason=reason)
    return MEANINGS.get(code, RoomGatewayRefusedError)(reason=reason)
