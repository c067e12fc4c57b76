"""What can be wrong with a request to this API, beside what its use cases raise."""

from collections.abc import Mapping

from entrypoints.http.server.errors import RequestError


class InvalidRequestError(RequestError):
    """A parameter is missing, malformed or given twice."""


class InvalidJsonError(InvalidRequestError):
    """The body is not a strict JSON object."""


class DuplicateMemberError(InvalidJsonError):
    """The body names a member twice; the text does not repeat the name, which may be anything."""

    def __init__(self, name: str) -> None:
        super().__init__("a field is given twice")
        self.name = name


class MissingCredentialError(RequestError):
    """A token is required and none is given."""


class MalformedCredentialError(RequestError):
    """What is given cannot be a token."""


class RateLimitedError(RequestError):
    """Too many requests, or failed authentications, came within a time.

    Attributes:
        headers: of the response, which say how many may come and when the next one may.
    """

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class RequestTimeoutError(RequestError):
    """The body did not arrive in time."""


class PayloadTooLargeError(RequestError):
    """The body is larger than the limit."""


class UnsupportedMediaTypeError(RequestError):
    """The body is not plain JSON."""


class NotReadyError(RequestError):
    """The service should not get traffic now."""
