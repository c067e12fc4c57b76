"""All that this server uses of aiohttp beyond its public API; what can be is checked at import.

``pyproject.toml`` bounds aiohttp's version for the sake of this file. The reason for each name is
in ``docs/decisions/0004-connection-below-aiohttp.md``.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, InvalidURLError, LineTooLong
from aiohttp.web_protocol import ERROR, RequestPayloadError, _ErrInfo
from typing_extensions import override

__all__ = [
    "BadHttpMessage",
    "ConnectionQueue",
    "InvalidURLError",
    "LineTooLong",
    "RequestFactory",
    "RequestHandler",
    "RequestPayloadError",
    "is_parser_error",
    "queue_malformed_request",
    "queued_error",
    "queued_messages",
    "wrap_request_factory",
]

ConnectionQueue = deque[tuple[RawRequestMessage | _ErrInfo, StreamReader]]
RequestFactory = Callable[..., web.BaseRequest]

_slots = {slot for each in web.RequestHandler.__mro__ for slot in getattr(each, "__slots__", ())}
_missing = {"_messages", "_reading_paused", "_waiter"} - _slots
if _missing:
    raise ImportError(
        f"aiohttp {aiohttp.__version__} has no RequestHandler.{min(_missing)};"
        " install a version that pyproject.toml allows"
    )


class RequestHandler(web.RequestHandler):
    """aiohttp's, which resumes reading once at the end of each body and once when it is read.

    Each time it parses what a pause has left, which is nothing where there was no pause.
    """

    __slots__ = ()

    @override
    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._reading_paused:
            super().resume_reading(resume_parser)


def queued_messages(connection: web.RequestHandler) -> ConnectionQueue:
    """Return the queue of the requests that were parsed and not begun, each with its body."""
    return connection._messages  # noqa: SLF001 - the reason for this file


def queued_error(connection: web.RequestHandler) -> BaseException:
    """Return why the newest request in the queue could not be parsed."""
    message, _ = connection._messages[-1]  # noqa: SLF001 - as above
    return message.exc if isinstance(message, _ErrInfo) else RequestPayloadError()


def queue_malformed_request(connection: web.RequestHandler, error: Exception) -> None:
    """Queue a request that is answered like one which aiohttp's parser rejects."""
    message = _ErrInfo(status=400, exc=error, message="")
    connection._messages.append((message, EMPTY_PAYLOAD))  # noqa: SLF001 - as above
    waiter = connection._waiter  # noqa: SLF001 - as above
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def is_parser_error(message: RawRequestMessage) -> bool:
    """Return whether a message stands for a request that could not be parsed."""
    return message is ERROR


def wrap_request_factory(
    server: web.Server, wrap: Callable[[RequestFactory], RequestFactory]
) -> None:
    """Replace the function that makes each request of a server."""
    internals: Any = server
    internals.request_factory = wrap(internals.request_factory)
