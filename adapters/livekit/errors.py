"""LiveKit's errors as the port's, translated in one place, by tables."""

from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api.twirp_client import ServerError, ServerErrorCode
from livekit.protocol.models import Room

from adapters.livekit.causes import cause_of_refusal, no_connection
from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)

FOREIGN_ERRORS = (
    ServerError,
    aiohttp.ClientError,
    OSError,
    DecodeError,
)
"""All that livekit-api lets through, except for cancellation, which is never translated."""

NO_ANSWER_IN_TIME = "no answer before the deadline"


class AbsentError(RoomGatewayRefusedError):
    """LiveKit says that what the call is about does not exist; unless caught, a refusal."""


class TokenRefusedError(RoomGatewayRefusedError):
    """LiveKit does not accept the token, so the call was not carried out."""


class PreconditionFailedError(RoomGatewayRefusedError):
    """LiveKit's settings rule the call out; a refusal like others, except to an unmute."""


class ConnectionLostError(RoomGatewayUnavailableError):
    """The connection ended before the answer; a read may be retried."""


class UnusableAnswerError(RoomGatewayUnavailableError):
    """LiveKit answered, but nothing that can be understood or trusted."""


class AnswerTooLargeError(UnusableAnswerError):
    """The answer is larger than is read.

    Attributes:
        beginning: its first bytes.
    """

    def __init__(self, *, beginning: bytes = b"") -> None:
        super().__init__(reason="answer too large")
        self.beginning = beginning

    def is_about(self, room: str) -> bool:
        """Return whether it begins with a room of that name; if not, it may be anything."""
        return self.beginning.startswith(b"\n") and (
            Room(name=room).SerializeToString() in self.beginning
        )


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

_LOST_AT_ONCE = "new connection lost before an answer, the port may expect another protocol"
_TWIRP_CODES = MEANINGS.keys() - {ServerErrorCode.UNKNOWN}

_KINDS: Mapping[type[Exception], tuple[type[RoomGatewayUnavailableError], str]] = {
    aiohttp.ServerDisconnectedError: (ConnectionLostError, "connection lost"),
    aiohttp.ClientOSError: (ConnectionLostError, "connection lost"),
    aiohttp.ClientPayloadError: (UnusableAnswerError, "answer incomplete"),
    aiohttp.ClientResponseError: (RoomGatewayUnavailableError, "answer is not valid HTTP"),
    DecodeError: (UnusableAnswerError, "answer is not the expected message"),
}
"""By the first class that an error is of; the name of its own class is added to the reason."""


def translate(error: Exception, *, on_new_connection: bool = False) -> RoomGatewayError:
    """Give the port's error for one of livekit-api's, without any text of LiveKit's own."""
    if isinstance(error, ServerError):
        return _from_answer(error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return RoomGatewayUnavailableError(reason=no_connection(error))
    for foreign, (kind, reason) in _KINDS.items():
        if isinstance(error, foreign):
            lost_at_once = kind is ConnectionLostError and on_new_connection
            text = _LOST_AT_ONCE if lost_at_once else reason
            return kind(reason=f"{text} ({type(error).__name__})")
    return RoomGatewayUnavailableError(reason=f"call failed ({type(error).__name__})")


def _from_answer(error: ServerError) -> RoomGatewayError:
    """Judge by status first: a proxy in front of LiveKit has statuses, but no Twirp codes."""
    code: object = error.code
    status, reason = error.status, _reason(error)
    if not 400 <= status < 500:  # noqa: PLR2004 - the class of HTTP status
        return RoomGatewayUnavailableError(reason=reason)
    if status in (401, 403):
        # With a code of Twirp's LiveKit has read the token, and misses a grant in it.
        was_read = isinstance(code, str) and code in _TWIRP_CODES
        refuses_token = status == HTTPStatus.UNAUTHORIZED and not was_read
        return (TokenRefusedError if refuses_token else RoomGatewayRefusedError)(reason=reason)
    if not isinstance(code, str):
        return RoomGatewayUnavailableError(reason=reason)
    return MEANINGS.get(code, RoomGatewayRefusedError)(reason=reason)


def _reason(error: ServerError) -> str:
    code: object = error.code
    cause = cause_of_refusal(error.message)
    if isinstance(code, str):
        known = code if code in MEANINGS else "an unknown code"
        answered = f"answered {error.status} with {known}"
    elif cause:
        answered = f"answered {error.status}"
    else:
        return f"answered {error.status} without a code, as a proxy or another server does"
    return f"{answered}: {cause}" if cause else answered
