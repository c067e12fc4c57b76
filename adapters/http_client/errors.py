"""How a request can fail. The reasons are for the log: they quote nothing of an answer."""

from adapters.http_client.messages import Head

NO_ANSWER_IN_TIME = "no answer before the deadline"
GIVEN_UP = "given up"


class HttpClientError(Exception):
    """There is no whole answer.

    Attributes:
        reason: why, in a few words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotConnectError(HttpClientError):
    """No connection could be made; nothing was sent."""


class NoAnswerInTimeError(HttpClientError):
    """The time was over before the answer was complete.

    Attributes:
        on_kept_connection: whether the request was sent, on a connection that was used before.
    """

    def __init__(self, reason: str, *, on_kept_connection: bool) -> None:
        super().__init__(reason)
        self.on_kept_connection = on_kept_connection


class ConnectionLostError(HttpClientError):
    """The connection ended before the head of the answer was complete."""


class InvalidAnswerError(HttpClientError):
    """What the server sent is not an HTTP/1.1 answer, or came before the request."""


class UnusableBodyError(HttpClientError):
    """The body is incomplete or too large.

    Attributes:
        head: the head of the answer.
        beginning: the first bytes, up to 4 KiB, of a body that is too large.
    """

    def __init__(self, reason: str, head: Head, *, beginning: bytes = b"") -> None:
        super().__init__(reason)
        self.head = head
        self.beginning = beginning


class BodyTooLargeError(UnusableBodyError):
    """The body is larger than the caller wants to read."""
