from collections.abc import Iterator, Mapping

import orjson
import pytest
from aiohttp import web

from application.ports.authenticator import (
    AuthenticatorError,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
)
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import NotFoundError, RoomNotFoundError, RoomNotFoundReason
from domain.track import ParticipantNotFoundError, TrackNotFoundError
from entrypoints.http.api.error_responses import ERROR_RESPONSES, error_response, response_to
from entrypoints.http.api.errors import (
    DuplicateMemberError,
    InvalidJsonError,
    InvalidRequestError,
    MalformedCredentialError,
    MissingCredentialError,
    NotReadyError,
    PayloadTooLargeError,
    RateLimitedError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.server.errors import (
    ClientDisconnectedError,
    MalformedHttpError,
    OverloadedError,
    RequestError,
    UnsupportedExpectError,
)
from tests.support.openapi_document import Document


def leaves(family: type[Exception]) -> Iterator[type[Exception]]:
    """Yield the classes that are raised: those without a subclass outside of an adapter."""
    ours = [kind for kind in family.__subclasses__() if not kind.__module__.startswith("adapters")]
    if not ours:
        yield family
    for kind in ours:
        yield from leaves(kind)


FAMILIES = (NotFoundError, RoomGatewayError, AuthenticatorError, RequestError)

CASES: list[tuple[Exception, int, str]] = [
    (InvalidRequestError("x"), 400, "INVALID_REQUEST"),
    (InvalidJsonError("x"), 400, "INVALID_REQUEST"),
    (DuplicateMemberError("x"), 400, "INVALID_REQUEST"),
    (ClientDisconnectedError("x"), 400, "INVALID_REQUEST"),
    (MalformedHttpError("x"), 400, "INVALID_REQUEST"),
    (UnsupportedExpectError(), 400, "INVALID_REQUEST"),
    (MissingCredentialError("x"), 401, "UNAUTHORIZED"),
    (MalformedCredentialError("x"), 401, "UNAUTHORIZED"),
    (CredentialRefusedError(reason="x"), 401, "UNAUTHORIZED"),
    (CredentialUnknownError(reason="x"), 401, "UNAUTHORIZED"),
    (RoomNotFoundError(RoomNotFoundReason.FOREIGN), 404, "ROOM_NOT_FOUND"),
    (ParticipantNotFoundError(), 404, "PARTICIPANT_NOT_FOUND"),
    (TrackNotFoundError(), 404, "TRACK_NOT_FOUND"),
    (web.HTTPNotFound(), 404, "NOT_FOUND"),
    (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405, "METHOD_NOT_ALLOWED"),
    (RequestTimeoutError("x"), 408, "REQUEST_TIMEOUT"),
    (PayloadTooLargeError("x"), 413, "PAYLOAD_TOO_LARGE"),
    (UnsupportedMediaTypeError("x"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    (RoomGatewayNotConfiguredError(missing=("x",)), 500, "LIVEKIT_NOT_CONFIGURED"),
    (RemoteUnmuteDisabledError(), 500, "REMOTE_UNMUTE_DISABLED"),
    (RoomGatewayUnavailableError(reason="x"), 500, "LIVEKIT_UNAVAILABLE"),
    (RoomGatewayRefusedError(reason="x"), 500, "MUTE_FAILED"),
    (KeyError("x"), 500, "INTERNAL_ERROR"),
    (AuthenticatorUnusableError(reason="x"), 502, "AUTH_SERVICE_ERROR"),
    (AuthenticatorUnavailableError(reason="x"), 503, "AUTH_SERVICE_UNAVAILABLE"),
    (RateLimitedError("x", {"Retry-After": "7"}), 429, "RATE_LIMITED"),
    (OverloadedError("x"), 503, "OVERLOADED"),
    (NotReadyError("x"), 503, "NOT_READY"),
]
INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
HEADERS: Mapping[type[Exception], Mapping[str, str]] = {
    MissingCredentialError: {"WWW-Authenticate": "Bearer"},
    MalformedCredentialError: INVALID,
    CredentialRefusedError: INVALID,
    CredentialUnknownError: INVALID,
    web.HTTPMethodNotAllowed: {"Allow": "GET"},
    OverloadedError: {"Retry-After": "1"},
    RateLimitedError: {"Retry-After": "7"},
}
CLOSING = (MalformedHttpError, RequestTimeoutError, PayloadTooLargeError)


class TestTable:
    @pytest.mark.parametrize("leaf", [leaf for family in FAMILIES for leaf in leaves(family)])
    def test_have_a_row_for_every_error_of_ours(self, leaf: type[Exception]) -> None:
        row = next(base for base in leaf.__mro__ if base in ERROR_RESPONSES)
        assert row is not Exception

    def test_have_a_fallback(self) -> None:
        assert response_to(KeyError("s3cret")).code == "INTERNAL_ERROR"
        assert response_to(web.HTTPForbidden()).code == "INTERNAL_ERROR"

    def test_have_documented_codes(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        assert {row.code for row in ERROR_RESPONSES.values()} == set(documented)


def respond(error: Exception) -> web.Response:
    return error_response(error, response_to(error))


def body(error: Exception) -> bytes:
    content = respond(error).body
    assert isinstance(content, bytes)
    return content


class TestErrorResponse:
    @pytest.mark.parametrize(("error", "status", "code"), CASES)
    def test_has_the_shape_of_every_error(self, error: Exception, status: int, code: str) -> None:
        content = orjson.loads(body(error))
        assert (respond(error).status, content["code"]) == (status, code)
        assert content.keys() == {"error", "code"}
        assert content["error"]

    @pytest.mark.parametrize("error", [error for error, *_ in CASES])
    def test_has_the_headers_of_every_response_and_those_that_its_status_requires(
        self, error: Exception
    ) -> None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Server": "livekit-mute",
        }
        assert respond(error).headers == {**headers, **HEADERS.get(type(error), {})}

    @pytest.mark.parametrize("error", [error for error, *_ in CASES])
    def test_closes_where_the_next_request_cannot_be_found(self, error: Exception) -> None:
        assert (respond(error).keep_alive is False) is isinstance(error, CLOSING)

    def test_contains_an_errors_text_only_where_that_is_for_the_caller(self) -> None:
        assert b"text" in body(NotReadyError("text"))
        assert b"text" not in body(KeyError("text"))


def examples(node: object) -> Iterator[tuple[str, str]]:
    """Yield code and text of every error that is shown in a part of the document."""
    match node:
        case {"error": str(text), "code": str(code)}:
            yield code, text
        case dict():
            for child in node.values():
                yield from examples(child)
        case list():
            for child in node:
                yield from examples(child)
        case _:
            pass


class TestDocument:
    def test_shows_the_texts_of_errors_as_they_are(self) -> None:
        fixed = {row.code: row.message for row in ERROR_RESPONSES.values() if row.message}
        shown = set(examples(Document().root))
        assert {(code, text) for code, text in shown if code in fixed} == set(fixed.items())
