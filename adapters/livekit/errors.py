"""LiveKit's errors in the port's words, translated once, by a table."""

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
"""All that escapes livekit-api, but for cancellation, which is never translated."""


class AbsentError(RoomGatewayRefusedError):
    """LiveKit says that what the call is about is not there; a refusal to who expects it there."""


class PreconditionFailedError(RoomGatewayRefusedError):
    """LiveKit says that its settings rule the call out; a refusal like others but to unmute."""


class UnusableAnswerError(RoomGatewayUnavailableError):
    """LiveKit answered, but nothing that can be understood or believed."""


MEANINGS: Mapping[str, type[RoomGatewayRefusedError | RoomGatewayUnavailableError]] = {
    ServerErrorCode.CANCELED: RoomGatewayUnavailableError,
    ServerErrorCode.UNKNOWN: RoomGatewayUnavailableError,  # also what is no Twirp error at all
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


def translate(error: Exception) -> RoomGatewayError:
    """Say in the port's words what escaped livekit-api, without a word of LiveKit's own."""
    if isinstance(error, ServerError):
        return _from_answer(error.code, error.status)
    if isinstance(error, DecodeError | aiohttp.ClientPayloadError):
        return UnusableAnswerError(reason=type(error).__name__)
    return RoomGatewayUnavailableError(reason=type(error).__name__)


def _from_answer(code: object, status: int) -> RoomGatewayError:
    """Judge by status first: a proxy before LiveKit knows statuses, but no Twirp codes."""
    known = code if isinstance(code, str) and code in MEANINGS else "an unknown code"
    reason = f"answered {status} with {known}"
    if not 400 <= status < 500:  # noqa: PLR2004 - the class of HTTP status
        return RoomGatewayUnavailableError(reason=reason)
    if status in (401, 403):
        return RoomGatewayRefusedError(reason=reason)
    if not isinstance(code, str):
        return RoomGatewayUnavailableError(reason=reason)
    return MEANINGS.get(code, RoomGatewayRefusedError)(reason=reason)
