"""Which answers of LiveKit's are read, how far, and what they hold."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from adapters.http_client.errors import UnusableBodyError
from adapters.http_client.messages import Answer, Head
from adapters.http_client.telemetry import Outcome, outcome_of
from adapters.livekit.causes import redirect_target
from adapters.livekit.errors import (
    AbsentError,
    TokenRefusedError,
    UnusableAnswerError,
    error_of,
    translate,
)
from application.ports.room_gateway import (
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)

M = TypeVar("M", bound=Message)

_OK = 200
_MAX_ERROR_BYTES = 64 << 10
_PROTOBUF = "application/protobuf"


def accept(head: Head, max_bytes: int) -> int:
    """Judge the head of an answer, and return how much of the body is read.

    Rejects redirects, and what a proxy or another server answers with 200: such an answer often
    has no body, which would mean that there is no such room or track.
    """
    status, headers = head.status, head.headers
    if 300 <= status < 400:  # noqa: PLR2004 - the class of HTTP status
        target = redirect_target(headers.get("location", ""))
        raise RoomGatewayUnavailableError(reason=f"answered {status}, a redirect to {target}")
    if status != _OK:
        return _MAX_ERROR_BYTES
    # Each function called counts here, so seldom ones are called only where they may matter.
    if "content-encoding" in headers and head.is_compressed:
        raise UnusableAnswerError(reason="answer is compressed")
    if not headers.get("content-type", "").startswith(_PROTOBUF):
        raise UnusableAnswerError(reason="answer is not LiveKit's but another server's")
    if "content-length" not in headers and not head.declares_length:
        raise UnusableAnswerError(reason="answer without a length, it may be incomplete")
    return max_bytes


def is_success(outcome: Answer | Exception | None) -> bool:
    """Return whether a call has ended well, as far as its status says."""
    return isinstance(outcome, Answer) and outcome.head.status == _OK


def judge(result: Answer | Exception) -> Outcome:
    """Say what became of a call that has not succeeded, as far as an error's code says."""
    if not isinstance(result, Answer):
        return outcome_of(result)
    match error_of(result.head.status, result.body):
        case AbsentError():
            return Outcome.NOT_FOUND
        case TokenRefusedError():
            return Outcome.TOKEN_REFUSED
        case RoomGatewayRefusedError():
            return Outcome.REFUSED
        case _:
            return Outcome.UNAVAILABLE


def message_of(outcome: Answer, kind: type[M]) -> M:
    """Return the message in an answer.

    Raises:
        RoomGatewayError: the answer is an error, or holds another message.
    """
    if outcome.head.status != _OK:
        raise error_of(outcome.head.status, outcome.body)
    try:
        return kind.FromString(outcome.body)
    except DecodeError:
        raise UnusableAnswerError(reason="answer is not the expected message") from None


def without_body(error: UnusableBodyError) -> Answer:
    """Return an error of LiveKit's whose body cannot be read, and which its status explains.

    Raises:
        RoomGatewayError: it is no error, so that nothing is known without the body.
    """
    if error.head.status == _OK:
        raise translate(error) from None
    return Answer(error.head, b"")
