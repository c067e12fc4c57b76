"""The response to every error: one shape, one table."""

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
from entrypoints.http.api.errors import (
    InvalidRequestError,
    MalformedCredentialError,
    MissingCredentialError,
    NotReadyError,
    PayloadTooLargeError,
    RateLimitedError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.api.json_response import json_response
from entrypoints.http.server.errors import (
    ClientDisconnectedError,
    MalformedHttpError,
    OverloadedError,
)


@frozen
class ErrorResponse:
    """The response to one kind of error.

    Attributes:
        message: the text for the caller, where the error's own text is not for the caller.
        closes: whether the connection is closed, because the next request cannot be found.
    """

    status: int
    code: str
    message: str | None = None
    headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    closes: bool = field(default=False, kw_only=True)


_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

ERROR_RESPONSES: Mapping[type[Exception], ErrorResponse] = {
    RoomNotFoundError: ErrorResponse(404, "ROOM_NOT_FOUND"),
    ParticipantNotFoundError: ErrorResponse(404, "PARTICIPANT_NOT_FOUND"),
    TrackNotFoundError: ErrorResponse(404, "TRACK_NOT_FOUND"),
    RoomGatewayNotConfiguredError: ErrorResponse(500, "LIVEKIT_NOT_CONFIGURED"),
    RemoteUnmuteDisabledError: ErrorResponse(
        500,
        "REMOTE_UNMUTE_DISABLED",
        "LiveKit does not allow unmuting: room.enable_remote_unmute is off in its configuration",
    ),
    RoomGatewayUnavailableError: ErrorResponse(
        500,
        "LIVEKIT_UNAVAILABLE",
        "LiveKit could not be reached or gave an invalid response; retrying is safe",
    ),
    RoomGatewayRefusedError: ErrorResponse(
        500, "MUTE_FAILED", "LiveKit rejected the request; the reason is in this service's log"
    ),
    AuthenticatorUnusableError: ErrorResponse(
        502,
        "AUTH_SERVICE_ERROR",
        "the caller could not be authenticated; the reason is in this service's log",
    ),
    AuthenticatorUnavailableError: ErrorResponse(
        503,
        "AUTH_SERVICE_UNAVAILABLE",
        "the caller could not be authenticated in time; retrying is safe",
    ),
    CredentialRefusedError: ErrorResponse(401, "UNAUTHORIZED", headers=_INVALID_TOKEN),
    MalformedCredentialError: ErrorResponse(401, "UNAUTHORIZED", headers=_INVALID_TOKEN),
    MissingCredentialError: ErrorResponse(
        401, "UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"}
    ),
    InvalidRequestError: ErrorResponse(400, "INVALID_REQUEST"),
    ClientDisconnectedError: ErrorResponse(400, "INVALID_REQUEST"),
    MalformedHttpError: ErrorResponse(400, "INVALID_REQUEST", closes=True),
    RequestTimeoutError: ErrorResponse(408, "REQUEST_TIMEOUT", closes=True),
    PayloadTooLargeError: ErrorResponse(413, "PAYLOAD_TOO_LARGE", closes=True),
    UnsupportedMediaTypeError: ErrorResponse(415, "UNSUPPORTED_MEDIA_TYPE"),
    RateLimitedError: ErrorResponse(429, "RATE_LIMITED"),
    OverloadedError: ErrorResponse(503, "OVERLOADED", headers={"Retry-After": "1"}),
    NotReadyError: ErrorResponse(503, "NOT_READY"),
    web.HTTPNotFound: ErrorResponse(404, "NOT_FOUND", "no such path"),
    web.HTTPMethodNotAllowed: ErrorResponse(
        405,
        "METHOD_NOT_ALLOWED",
        "this path does not support that method; Allow lists those that it does",
    ),
    Exception: ErrorResponse(
        500,
        "INTERNAL_ERROR",
        "a bug in this service; its log has the location, under this X-Request-ID",
    ),
}


def response_to(error: Exception) -> ErrorResponse:
    """Find the row of an error's class, or else of the nearest of its bases."""
    return next(ERROR_RESPONSES[base] for base in type(error).__mro__ if base in ERROR_RESPONSES)


def error_response(error: Exception, row: ErrorResponse) -> web.Response:
    """Make the response to an error from its row."""
    body = {"error": row.message or str(error), "code": row.code}
    response = json_response(body, status=row.status)
    response.headers.update(row.headers)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = error.headers["Allow"]
    if isinstance(error, RateLimitedError):
        response.headers.update(error.headers)
    if row.closes:
        response.force_close()
    return response
