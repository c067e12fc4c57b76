"""The client of one server: its connection pool, and the exchanges that wait for a connection."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Self

from attrs import define, field
from yarl import URL

from adapters.http_client.alarms import Alarms
from adapters.http_client.causes import cause_of
from adapters.http_client.connect import Connector
from adapters.http_client.connection import Connection
from adapters.http_client.errors import (
    GIVEN_UP,
    NO_ANSWER_IN_TIME,
    CannotConnectError,
    HttpClientError,
    NoAnswerInTimeError,
)
from adapters.http_client.exchange import Ended, Exchange
from adapters.http_client.idle import IdleConnections
from adapters.http_client.messages import Accept, Answer
from adapters.http_client.telemetry import NO_TELEMETRY, Telemetry
from adapters.http_client.turns import Turns

_SUSPICIOUS_S = 0.2  # of silence; requests that have less time must not cost new connections


@define(eq=False)
class HttpClient:
    """Sends requests to one server, each once, on connections that it keeps for others.

    There is no whole answer without an error: redirects are answers, no answer is decompressed,
    and none that is incomplete is returned, except one that says nowhere how long it is
    (``Head.declares_length``). After a timeout of 0.2 s or more on a connection that was used
    before, none of the present ones is used again: where the network has dropped one without a
    sign, the others are often dropped too. A connection that was idle for 30 s is closed.

    Use it as an asynchronous context manager, and make it in the event loop that it is used in.
    All instants are of that loop's clock.
    """

    url: URL = field(converter=URL, repr=False)
    max_connections: int
    telemetry: Telemetry = field(default=NO_TELEMETRY, repr=False)
    """Told of the connections; of its calls the adapter tells it."""
    whose: Callable[[], Hashable] = field(default=lambda: None, repr=False)
    """Says on whose behalf the current task sends; they take turns where requests wait."""
    address: str = field(init=False)
    """Host and port, for the log."""
    time: Callable[[], float] = field(init=False, repr=False)
    """Returns the event loop's time."""
    _connector: Connector = field(init=False)
    _common_headers: str = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    _alarms: Alarms = field(init=False)
    _connections: set[Connection] = field(init=False, factory=set)
    """All that are open or being opened."""
    _idle: IdleConnections = field(init=False, factory=IdleConnections)
    _distrusted: set[Connection] = field(init=False, factory=set)
    _waiting: Turns[Exchange] = field(init=False, factory=Turns)
    _opening: dict[asyncio.Task[None], Exchange] = field(init=False, factory=dict)
    _is_closed: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        host = self.url.host_subcomponent
        self.address = f"{host}:{self.url.port}"
        self.time = self._loop.time
        self._connector = Connector(self.url)
        self._alarms = Alarms(self._loop)
        self._common_headers = (
            f"Host: {self.url.host_port_subcomponent}\r\n"
            "User-Agent: livekit-mute\r\n"
            "Accept: */*\r\n"
            "Accept-Encoding: identity\r\n"
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        for exchange in [*self._waiting, *self._opening.values()]:
            self.drop(exchange)
        for connection in self._connections:
            connection.close()
        self._idle.close()
        self._alarms.close()
        self._connector.close()
        if self._opening:
            await asyncio.wait(self._opening)

    async def send(  # noqa: PLR0913 - one parameter for each part of a request
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        accept: Accept,
        deadline: float,
        ended: Ended | None = None,
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            HttpClientError: there is no whole answer by the deadline.
            Exception: what ``accept`` raises.
        """
        exchange = self.begin(
            method, target, headers=headers, body=body, accept=accept, ended=ended
        )
        return await self.finish(exchange, deadline)

    def begin(  # noqa: PLR0913 - as above
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        accept: Accept,
        ended: Ended | None = None,
    ) -> Exchange:
        """Send a request, at once where a connection is idle; it has to be finished or dropped.

        Args:
            method: such as ``POST``.
            target: path and query, encoded.
            headers: further headers; no line breaks are looked for in them.
            body: the body, if any.
            accept: called with the head of the answer, see ``Accept``.
            ended: called with the outcome as soon as there is one, see ``Ended``.
        """
        lines = "".join(map("{}: {}\r\n".format, headers, headers.values()))
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {target} HTTP/1.1\r\n{self._common_headers}{lines}{length}\r\n"
        exchange = Exchange(head.encode("latin-1") + body, accept, self._alarms, ended)
        connection = self._idle.take()
        if connection is not None:
            connection.send(exchange)
        elif self._is_closed:
            exchange.end(CannotConnectError("the client is closed"))
        else:
            exchange.whose = self.whose()
            self._waiting.add(exchange.whose, exchange)
            self._open_connections()
        return exchange

    async def finish(self, exchange: Exchange, deadline: float) -> Answer:
        """Wait for the answer of a request that was begun; it is dropped at the deadline.

        Raises:
            HttpClientError: there is no whole answer by the deadline.
            Exception: what ``accept`` raises.
        """
        try:
            await exchange.wait(deadline)
            outcome = exchange.outcome or self._time_out(exchange)
        finally:
            if exchange.outcome is None:  # seldom: ``drop`` looks too, but each call counts here
                self.drop(exchange)
        if isinstance(outcome, Answer):
            return outcome
        try:
            raise outcome
        finally:  # or else the error would refer to itself, by the frames in its traceback
            exchange.outcome = None
            del outcome

    def drop(self, exchange: Exchange, outcome: HttpClientError | None = None) -> None:
        """End a request, which the server may have carried out; does nothing once it ended."""
        if exchange.outcome is not None:
            return
        carrier = exchange.carrier
        if outcome is not None:
            exchange.end(outcome)
        match carrier:
            case Connection() as connection:
                connection.close()
            case asyncio.Task() as task:
                task.cancel()
            case None:
                self._waiting.discard(exchange.whose, exchange)
        exchange.end(CannotConnectError(GIVEN_UP))

    def suspect(self, exchange: Exchange) -> None:
        """Use none of the present connections again if a request is silent on a kept one.

        It counts as silent after 0.2 s without an answer.
        """
        silent_s = self._loop.time() - exchange.sent_at
        if exchange.on_kept_connection and silent_s >= _SUSPICIOUS_S:
            self._idle.close()
            self._distrusted |= self._connections

    def release(self, connection: Connection) -> None:
        """Take back a connection that can carry another exchange."""
        if connection in self._distrusted:
            connection.close()
        elif self._waiting.by_key:
            connection.send(self._waiting.pop())
        else:
            self._idle.add(connection)

    def forget(self, connection: Connection) -> None:
        """Note that a connection is closed."""
        self._connections.discard(connection)
        self.telemetry.connections(len(self._connections))
        self._distrusted.discard(connection)
        self._idle.remove(connection)
        self._open_connections()

    def _open_connections(self) -> None:
        while self._waiting.by_key and len(self._connections) < self.max_connections:
            exchange, connection = self._waiting.pop(), Connection(self, self._loop)
            self._connections.add(connection)
            self.telemetry.connections(len(self._connections))
            task = asyncio.create_task(self._connector.connect(connection))
            exchange.carrier, self._opening[task] = task, exchange
            task.add_done_callback(partial(self._opened, connection))

    def _opened(self, connection: Connection, task: asyncio.Task[None]) -> None:
        """Send the exchange that a connection was opened for, unless that failed or it ended."""
        exchange = self._opening.pop(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            reason = f"cannot connect to {self.address}: {cause_of(error)}"
            exchange.end(CannotConnectError(reason))
        elif connection.is_closed:
            exchange.end(connection.failure)
        if exchange.carrier is task:
            connection.send(exchange)
        else:
            connection.close()
            self.forget(connection)

    def _time_out(self, exchange: Exchange) -> NoAnswerInTimeError:
        match exchange.carrier:
            case Connection():
                reason = NO_ANSWER_IN_TIME
            case asyncio.Task():
                reason = f"cannot connect to {self.address}: {NO_ANSWER_IN_TIME}"
            case _:
                reason = f"no connection to {self.address} became free before the deadline"
        self.suspect(exchange)
        error = NoAnswerInTimeError(reason, on_kept_connection=exchange.on_kept_connection)
        self.drop(exchange, error)
        return error
