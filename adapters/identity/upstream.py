"""What key servers and authentication services have in common: which responses are usable."""

from adapters.http_client.errors import BodyTooLargeError, HttpClientError, UnusableBodyError
from adapters.http_client.messages import Answer, Head
from adapters.http_client.telemetry import Outcome, outcome_of
from application.ports.authenticator import CredentialRefusedError

_OK = 200


class InvalidResponseError(Exception):
    """The response cannot be used; the message says why and quotes nothing of it."""


def accept(head: Head, max_bytes: int) -> int:
    """Judge the head of a response, and return how much of the body is read.

    Raises:
        InvalidResponseError: its status is not 200, or it is compressed.
    """
    if head.status != _OK:
        raise InvalidResponseError(f"status {head.status}")
    if head.is_compressed:
        raise InvalidResponseError("response is compressed")
    return max_bytes


def judge(result: Answer | Exception) -> Outcome:
    """Say what became of a request without a usable response."""
    return Outcome.REFUSED if isinstance(result, CredentialRefusedError) else outcome_of(result)


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
