"""LiveKit's errors as the port's, translated in one place, by tables."""

import json
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from livekit.api.twirp_client import ServerErrorCode
from livekit.protocol.models import Room

from adapters.http_client.errors import (
    BodyTooLargeError,
    ConnectionLostError,
    HttpClientError,
    NoAnswerInTimeError,
    UnusableBodyError,
)
from adapters.livekit.causes import cause_of_refusal
from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)


class AbsentError(RoomGatewayRefusedError):
    """LiveKit says that what the call is about does not exist; unless caught, a refusal."""


class TokenRefusedError(RoomGatewayRefusedError):
    """LiveKit does not accept the token, so the call was not carried out."""


class PreconditionFailedError(RoomGatewayRefusedError):
    """LiveKit's settings rule the call out; a refusal like others, except to an unmute."""


class CallLostError(RoomGatewayUnavailableError):
    """The connection ended before the answer, or was kept and is silent: a read may be repeated."""


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

_TWIRP_CODES = MEANINGS.keys() - {ServerErrorCode.UNKNOWN}


def translate(error: HttpClientError) -> RoomGatewayError:
    """Give the port's error where there is no whole answer."""
    match error:
        case ConnectionLostError() | NoAnswerInTimeError(on_kept_connection=True):
            return CallLostError(reason=error.reason)
        case BodyTooLargeError():
            return AnswerTooLargeError(beginning=error.beginning)
        case UnusableBodyError():
            return UnusableAnswerError(reason=error.reason)
        case _:
            return RoomGatewayUnavailableError(reason=error.reason)


def error_of(status: int, body: bytes) -> RoomGatewayError:
    """Give the port's error for an answer that is one, without any text of LiveKit's own.

    It is judged by its status first: a proxy in front of LiveKit has statuses, but no Twirp codes.
    """
    code, text = _read(body)
    reason = _reason(status, code, text)
    if not 400 <= status < 500:  # noqa: PLR2004 - the class of HTTP status
        return RoomGatewayUnavailableError(reason=reason)
    if status in (401, 403):
        # With a code of Twirp's LiveKit has read the token, and misses a grant in it.
        was_read = code in _TWIRP_CODES
        refuses_token = status == HTTPStatus.UNAUTHORIZED and not was_read
        return (TokenRefusedError if refuses_token else RoomGatewayRefusedError)(reason=reason)
    if code is None:
        return RoomGatewayUnavailableError(reason=reason)
    return MEANINGS.get(code, RoomGatewayRefusedError)(reason=reason)


def _read(body: bytes) -> tuple[str | None, str]:
    """Read an error's code, if it has one, and its text; what is no JSON object is all text.

    It is read as UTF-8 whatever charset it names: some take minutes to decode.
    """
    text = body.decode(errors="replace")
    members: object = None
    with suppress(ValueError, RecursionError):
        members = json.loads(text)
    if not isinstance(members, dict):
        return None, text
    code = members.get("code")
    return code if isinstance(code, str) else None, str(members.get("msg", ""))


def _reason(status: int, code: str | None, text: str) -> str:
    cause = cause_of_refusal(text)
    if code is not None:
        known = code if code in MEANINGS else "an unknown code"
        answered = f"answered {status} with {known}"
    elif cause:
        answered = f"answered {status}"
    else:
        return f"answered {status} without a code, as a proxy or another server does"
    return f"{answered}: {cause}" if cause else answered
