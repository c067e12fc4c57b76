"""Every error as this API's callers see it: one shape, one table."""

from collections.abc import Mapping

from aiohttp import web
from attrs import field, frozen

from application.ports.authenticator import (
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
)
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import RoomNotFoundError
from domain.track import ParticipantNotFoundError, TrackNotFoundError
from entrypoints.http.wire import ErrorBody, json_response


class ApiError(Exception):
    """What can go wrong in HTTP alone; the text is for the caller to read."""


class InvalidRequestError(ApiError):
    """The request says nothing that we can act on."""


class InvalidJsonError(InvalidRequestError):
    """The body is no JSON object."""


class MalformedHttpError(InvalidRequestError):
    """The request is not HTTP as it should be; where the next one begins nobody knows."""


class ClientGoneError(InvalidRequestError):
    """The client broke off before its request was whole; nobody reads the answer."""


class MissingCredentialError(ApiError):
    """A token is required and none was shown."""


class MalformedCredentialError(ApiError):
    """What was shown cannot be a token."""


class RequestTimeoutError(ApiError):
    """The body did not arrive in time."""


class PayloadTooLargeError(ApiError):
    """The body is larger than we read."""


class UnsupportedMediaTypeError(ApiError):
    """The body is not plain JSON."""


class OverloadedError(ApiError):
    """More requests are in flight than we take on, or the server is about to be gone."""


class NotReadyError(ApiError):
    """The service should get no traffic now."""


@frozen
class Answer:
    """How an error is told: ``message`` where its own text is not for the caller."""

    status: int
    code: str
    message: str | None = None
    headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    closes: bool = field(default=False, kw_only=True)


_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

ANSWERS: Mapping[type[Exception], Answer] = {
    RoomNotFoundError: Answer(404, "ROOM_NOT_FOUND"),
    ParticipantNotFoundError: Answer(404, "PARTICIPANT_NOT_FOUND"),
    TrackNotFoundError: Answer(404, "TRACK_NOT_FOUND"),
    RoomGatewayNotConfiguredError: Answer(500, "LIVEKIT_NOT_CONFIGURED"),
    RemoteUnmuteDisabledError: Answer(
        500,
        "REMOTE_UNMUTE_DISABLED",
        "LiveKit does not let others unmute: room.enable_remote_unmute is off in its configuration",
    ),
    RoomGatewayUnavailableError: Answer(
        500,
        "LIVEKIT_UNAVAILABLE",
        "LiveKit could not be reached or did not answer as it should; asking again is safe",
    ),
    RoomGatewayRefusedError: Answer(
        500, "MUTE_FAILED", "LiveKit refused; the reason is in this service's log"
    ),
    AuthenticatorUnusableError: Answer(
        502, "AUTH_SERVICE_ERROR", "who is calling could not be found out; the log has the reason"
    ),
    AuthenticatorUnavailableError: Answer(
        503,
        "AUTH_SERVICE_UNAVAILABLE",
        "who is calling could not be found out in time; asking again is safe",
    ),
    CredentialRefusedError: Answer(401, "UNAUTHORIZED", headers=_INVALID_TOKEN),
    MalformedCredentialError: Answer(401, "UNAUTHORIZED", headers=_INVALID_TOKEN),
    MissingCredentialError: Answer(401, "UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"}),
    InvalidRequestError: Answer(400, "INVALID_REQUEST"),
    MalformedHttpError: Answer(400, "INVALID_REQUEST", closes=True),
    RequestTimeoutError: Answer(408, "REQUEST_TIMEOUT", closes=True),
    PayloadTooLargeError: Answer(413, "PAYLOAD_TOO_LARGE", closes=True),
    UnsupportedMediaTypeError: Answer(415, "UNSUPPORTED_MEDIA_TYPE"),
    OverloadedError: Answer(503, "OVERLOADED", headers={"Retry-After": "1"}),
    NotReadyError: Answer(503, "NOT_READY"),
    web.HTTPNotFound: Answer(404, "NOT_FOUND", "there is nothing at this path"),
    web.HTTPMethodNotAllowed: Answer(
        405, "METHOD_NOT_ALLOWED", "this path does not have that method"
    ),
    web.HTTPExpectationFailed: Answer(
        400, "INVALID_REQUEST", "Expect can only be 100-continue", closes=True
    ),
    Exception: Answer(500, "INTERNAL_ERROR", "this service made a mistake; it is in its log"),
}


def answer_for(error: Exception) -> Answer:
    """Find an error's row by its class, or else by the nearest of its bases."""
    return next(ANSWERS[base] for base in type(error).__mro__ if base in ANSWERS)


def error_response(error: Exception) -> web.Response:
    """Tell the caller of an error."""
    answer = answer_for(error)
    response = json_response(
        ErrorBody(error=answer.message or str(error), code=answer.code), status=answer.status
    )
    response.headers.update(answer.headers)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = error.headers["Allow"]
    if answer.closes:
        response.force_close()
    return response
