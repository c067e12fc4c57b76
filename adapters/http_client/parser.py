"""The answers on one connection, parsed within limits."""

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from adapters.http_client.errors import BodyTooLargeError, InvalidAnswerError, UnusableBodyError
from adapters.http_client.messages import Accept, Answer, Head

_MAX_HEAD_BYTES = 16 << 10
_MAX_HEADERS = 128
_MAX_FRAMING_BYTES = 64 << 10  # between two bytes of a body, and behind the last
_STATUS_LINE_BYTES = len("HTTP/1.1 200 \r\n\r\n")
_HEADER_BYTES = len(": \r\n")
_BEGINNING_BYTES = 4 << 10
_MAX_LENGTH_DIGITS = 20  # of 2**64; int() raises for thousands of zeros, which are valid
_FINAL = 200  # statuses below it precede the answer (RFC 9110, 15.2)
_INVALID = "answer is not valid HTTP"


class AnswerParser:
    """Parses one answer after the other; names of methods with ``on_`` are httptools' own.

    Attributes:
        keeps_open: whether the connection can be used again after the answer that is complete.
    """

    def __init__(self) -> None:
        self._http = HttpResponseParser(self)
        self.expect(_refuse)

    def expect(self, accept: Accept) -> None:
        """Begin with the next answer, whose head is to be judged by ``accept``."""
        self._accept = accept
        self.keeps_open = False
        self._head: Head | None = None
        self._answer: Answer | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._max_body = 0
        self._head_bytes = self._header_count = self._unread = 0

    def feed(self, data: bytes) -> Answer | Exception | None:
        """Parse what has arrived; return what the exchange ends with, if it does.

        Nothing more may be fed after an error, or where ``keeps_open`` is false.
        """
        error: Exception | None = None
        self._unread += len(data)
        try:
            self._http.feed_data(data)
        except HttpParserCallbackError as found:
            self.keeps_open, raised = False, found.__context__
            error = raised if isinstance(raised, Exception) else InvalidAnswerError(_INVALID)
            error.__traceback__ = None  # whose frames refer to the error, and to what was read
        except (HttpParserError, HttpParserUpgrade):  # also behind an answer: its length is wrong
            self.keeps_open = False
            return InvalidAnswerError(_INVALID)
        if self._answer is None:
            limit = _MAX_HEAD_BYTES if self._head is None else _MAX_FRAMING_BYTES
            if self._unread > limit:
                error = error or self._too_large()
        answer, self._answer = self._answer, None
        return answer or error

    def end(self, *, cleanly: bool) -> Answer | UnusableBodyError | None:
        """Return the outcome where the connection has ended; ``None`` where there is no head.

        Nothing may be fed afterwards.

        Args:
            cleanly: whether the server has closed it.
        """
        del self._http  # which refers to this object: a cycle, with the buffers of the body
        if self._head is None:
            return None
        if cleanly and not self._head.declares_length:
            return Answer(self._head, bytes(self._body))
        return UnusableBodyError("answer incomplete", self._head)

    def on_message_begin(self) -> None:
        """Count the status line; refuse a message behind the answer, which nobody asked for."""
        if (answer := self._answer) is not None:
            self.expect(_refuse)
            self._answer = answer
        self._head_bytes += _STATUS_LINE_BYTES

    def on_status(self, status: bytes) -> None:
        """Count a part of the reason phrase."""
        self._head_bytes += len(status)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or count a field of the trailer, which nobody reads."""
        self._header_count += 1
        self._head_bytes += len(name) + len(value) + _HEADER_BYTES
        if self._head_bytes > _MAX_HEAD_BYTES or self._header_count > _MAX_HEADERS:
            raise self._too_large()
        if self._head is None:
            key, text = name.decode("latin-1").lower(), value.rstrip().decode("latin-1")
            headers = self._headers
            headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Have the head judged, unless it precedes the answer's."""
        status, headers = self._http.get_status_code(), self._headers
        if self._head_bytes > _MAX_HEAD_BYTES:  # there may be no header, but a long status line
            raise self._too_large()
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise InvalidAnswerError("answer in a transfer coding that was not asked for")
        if status < _FINAL:
            self._headers = {}
            return
        self._head = Head(status, headers)
        limit, length = self._accept(self._head), headers.get("content-length", "0")
        is_too_large = len(length) > _MAX_LENGTH_DIGITS or int(length) > limit
        self._max_body = min(limit, _BEGINNING_BYTES) if is_too_large else limit
        self._unread = 0

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body += body
        self._unread = 0
        if len(self._body) > self._max_body:
            raise self._too_large()

    def on_message_complete(self) -> None:
        """End the answer."""
        if self._head is not None:
            self._answer = Answer(self._head, bytes(self._body))
            self._body.clear()  # or else it stays with a connection that is idle
            self.keeps_open = self._http.should_keep_alive()

    def _too_large(self) -> InvalidAnswerError | BodyTooLargeError:
        if self._head is None:
            return InvalidAnswerError("the head of the answer is too large")
        beginning = bytes(self._body[:_BEGINNING_BYTES])
        return BodyTooLargeError("answer too large", self._head, beginning=beginning)


def _refuse(_: Head) -> int:
    raise InvalidAnswerError(_INVALID)
