"""One connection, which carries one exchange at a time."""

import asyncio
from typing import Protocol, cast

from typing_extensions import override

from adapters.http_client.errors import (
    GIVEN_UP,
    ConnectionLostError,
    HttpClientError,
    InvalidAnswerError,
)
from adapters.http_client.exchange import Exchange
from adapters.http_client.parser import AnswerParser

_LOST = "connection lost"
_LOST_AT_ONCE = "new connection lost before an answer, the port may expect another protocol"


class Pool(Protocol):
    """Whoever keeps connections."""

    def release(self, connection: "Connection") -> None:
        """Take back a connection that can carry another exchange."""

    def forget(self, connection: "Connection") -> None:
        """Note that a connection is closed."""


class Connection(asyncio.Protocol):
    """Sends requests; what comes without one closes the connection and is never an answer."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self.failure: HttpClientError = ConnectionLostError(_LOST_AT_ONCE)
        """Why it is closed, if it is closed before it has carried an exchange."""
        self._pool, self._loop = pool, loop
        self._parser = AnswerParser()
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._was_used = False

    def send(self, exchange: Exchange) -> None:
        """Send a request; the exchange gets its outcome from here."""
        self._exchange = exchange
        self._parser.expect(exchange.accept)
        exchange.carrier, exchange.on_kept_connection = self, self._was_used
        exchange.sent_at = self._loop.time()
        self._was_used = True
        self._transport.write(exchange.request)  # type: ignore[union-attr]  # it is open

    @property
    def is_closed(self) -> bool:
        """Whether it cannot be sent on, because it is not open yet or any more."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """Close at once, and end an exchange under way."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.end(ConnectionLostError(GIVEN_UP))
        if self._transport is not None:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.failure = InvalidAnswerError("sent data before a request")
            self.close()
            return
        outcome = self._parser.feed(data)
        if outcome is None:
            return
        self._exchange = None
        exchange.end(outcome)
        if self._parser.keeps_open:
            self._pool.release(self)
        else:
            self.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        exchange, self._exchange = self._exchange, None
        outcome = self._parser.end(cleanly=exc is None)
        if exchange is not None:
            lost = ConnectionLostError(_LOST if exchange.on_kept_connection else _LOST_AT_ONCE)
            exchange.end(outcome or lost)
        self._pool.forget(self)
