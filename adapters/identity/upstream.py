"""What key servers and authentication services have in common: which responses are usable."""

from adapters.http_client.errors import BodyTooLargeError, HttpClientError, UnusableBodyError
from adapters.http_client.messages import Head

_OK = 200


class InvalidResponseError(Exception):
    """The response cannot be used; the message says why and quotes nothing of it."""


def check_ok(head: Head) -> None:
    """Check that a response has status 200 and is not compressed.

    Raises:
        InvalidResponseError: it is not so.
    """
    if head.status != _OK:
        raise InvalidResponseError(f"status {head.status}")
    if head.headers.get("content-encoding", "identity") != "identity":
        raise InvalidResponseError("response is compressed")


def failure_reason(error: Exception) -> str:
    """Describe a failed call for the log, quoting nothing that the server sent."""
    match error:
        case BodyTooLargeError():
            return "response too large"
        case UnusableBodyError():
            return "incomplete response"
        case HttpClientError() | InvalidResponseError():
            return str(error)
        case _:
            return f"request failed ({type(error).__name__})"
