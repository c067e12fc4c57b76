"""Listening for clients, and graceful shutdown."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http import RawRequestMessage
from yarl import URL

from entrypoints.http.limits import Limits
from entrypoints.http.server.aiohttp_internals import (
    RequestFactory,
    is_parser_error,
    wrap_request_factory,
)
from entrypoints.http.server.connection import Connection
from entrypoints.http.server.keys import (
    HTTP_PROBLEM,
    LIMITS,
    OVER_CONNECTION_LIMIT,
    REQUEST_HOOKS,
    TRAFFIC,
)
from entrypoints.http.server.shared_listener import SharedListener
from entrypoints.http.server.traffic import Traffic

Connect = Callable[[], Connection]
Listener = asyncio.Server | SharedListener

_BACKLOG = 1024
_ACCEPTED_PER_TURN = 4
"""A listener of uvloop's accepts one connection in a turn of the event loop: if a flood connects,
a new client would wait for as many turns as there are connections before its own."""
_FIRST_REQUESTS_S = 0.25


class CannotListenError(Exception):
    """The address cannot be listened on; the text says why."""


@asynccontextmanager
async def serving(  # noqa: PLR0913 - how to serve, and when and where from
    app: web.Application,
    *,
    host: str,
    port: int,
    bound: Sequence[socket.socket] = (),
    is_turn: Callable[[int], bool] | None = None,
    before_listening: Callable[[], None] = lambda: None,
) -> AsyncIterator[URL]:
    """Serve an application while the block runs, then shut down gracefully.

    Graceful shutdown: for ``leave_delay_s`` requests are served and each response closes its
    connection; then the listener is closed; requests in flight have ``drain_timeout_s`` to finish;
    what is left is rejected with 503, and so it is at once where the block fails or is cancelled.

    Args:
        app: the application; it is started once the address is known to be free.
        host: an address, or a name, which stands for all its addresses that this machine has;
            ``::`` is every address of IPv6 and of IPv4.
        port: 0 is any free port.
        bound: what ``bind`` has bound to that address, if it has been called before; closed at
            the end.
        is_turn: where other processes accept from the same sockets, see ``SharedListener``.
        before_listening: called once the application has started.

    Raises:
        CannotListenError: the address is in use, or not one of this machine.
    """
    with ExitStack() as opened:
        # In a thread: the event loop's own drops the scope of an address (uvloop 0.23).
        sockets = bound or await asyncio.to_thread(bind, host, port)
        for each in sockets:
            opened.enter_context(each)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            server = cast("web.Server", runner.server)
            wrap_request_factory(server, begin_requests)
            connect = partial(
                Connection,
                server,
                limits=app[LIMITS],
                traffic=app[TRAFFIC],
                hooks=app[REQUEST_HOOKS],
            )
            before_listening()
            with _listen_errors(host, port):
                if is_turn is None:
                    sockets = [*sockets, *_duplicates(sockets, opened)]
                listeners = [await _listen(connect, each, opened, is_turn) for each in sockets]
            yield URL.build(scheme="http", host=host, port=sockets[0].getsockname()[1])
            await _shut_down(listeners, connect, app[LIMITS], app[TRAFFIC])
        finally:
            opened.close()
            await app[TRAFFIC].stop()
            await runner.cleanup()


def bind(host: str, port: int) -> Sequence[socket.socket]:
    """Bind a socket to each address of a host that this machine has, all to the same port.

    Nothing listens yet. For the arguments and errors see ``serving``.
    """
    with _listen_errors(host, port), ExitStack() as opened:
        sockets = _bind(host, port, opened)
        opened.pop_all()
    return sockets


@contextmanager
def _listen_errors(host: str, port: int) -> Iterator[None]:
    """Raise ``CannotListenError`` where the block cannot listen."""
    try:
        yield
    except UnicodeError:
        raise CannotListenError(f"cannot listen on {host}, port {port}: not a host name") from None
    except OSError as error:
        problem = error.strerror
        if error.errno == errno.EAFNOSUPPORT:
            problem = "this machine has no IPv6"
        raise CannotListenError(f"cannot listen on {host}, port {port}: {problem}") from None


def _bind(host: str, port: int, opened: ExitStack) -> Sequence[socket.socket]:
    found = dict.fromkeys(
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    )
    has_ipv4 = any(family == socket.AF_INET for family, *_ in found)
    sockets, unavailable = list[socket.socket](), list[OSError]()
    for family, kind, protocol, _, (address, _, *scope) in found:
        try:
            bound = opened.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, has_ipv4)
            bound.bind((address, port, *scope))
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            unavailable.append(error)
        else:
            sockets.append(bound)
            port = bound.getsockname()[1]
    if not sockets:
        raise unavailable[0]
    return sockets


def _duplicates(sockets: Sequence[socket.socket], opened: ExitStack) -> Sequence[socket.socket]:
    """Return each socket some more times, to be listened on as well."""
    return [
        opened.enter_context(each.dup()) for each in sockets for _ in range(1, _ACCEPTED_PER_TURN)
    ]


async def _listen(
    connect: Connect,
    bound: socket.socket,
    opened: ExitStack,
    is_turn: Callable[[int], bool] | None,
) -> Listener:
    listener: Listener
    if is_turn:
        listener = SharedListener(connect, bound, is_turn)
        listener.listen(_BACKLOG)
    else:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(connect, sock=bound, backlog=_BACKLOG)
    opened.callback(listener.close)
    return listener


async def _shut_down(
    listeners: Sequence[Listener], connect: Connect, limits: Limits, traffic: Traffic
) -> None:
    traffic.shutting_down = True
    await asyncio.sleep(limits.leave_delay_s)
    await _close_listeners(listeners, connect)
    # For the first requests of the newest clients.
    await asyncio.sleep(min(limits.leave_delay_s, _FIRST_REQUESTS_S))
    await traffic.drain(limits.drain_timeout_s)


async def _close_listeners(listeners: Sequence[Listener], connect: Connect) -> None:
    """Close listeners after accepting the connections that the system has established for them.

    Closed at once, they would reset them, though their clients believe to be connected. No request
    is served meanwhile, or the next client would be there before the last one is accepted.
    """
    duplicates = [
        socket.socket(fileno=os.dup(each.fileno()))
        for listener in listeners
        for each in listener.sockets
    ]
    for listener in listeners:
        listener.close()
    await asyncio.sleep(0)  # until the event loop has released them
    clients: list[socket.socket] = []
    for duplicate in duplicates:
        with duplicate, suppress(OSError):  # raised once no connection is left
            duplicate.settimeout(0)
            clients += (duplicate.accept()[0] for _ in range(_BACKLOG))
    for client in clients:
        client.settimeout(0)
        await asyncio.get_running_loop().connect_accepted_socket(connect, client)


def begin_requests(make_request: RequestFactory) -> RequestFactory:
    """Make a request factory that has the connection begin each request before anything else."""

    def make_and_begin(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:  # noqa: ANN401
        problem = ""
        if message.version not in (HttpVersion10, HttpVersion11):
            problem = "the only supported versions are HTTP/1.0 and HTTP/1.1"
        if problem or is_parser_error(message):
            message = message._replace(version=HttpVersion11)  # the version of the response
        try:
            request = make_request(message, *rest)
        except ValueError:  # aiohttp decodes the host of a target, and some cannot be decoded
            problem = "the host of the request's target is invalid"
            request = make_request(message._replace(url=URL("/")), *rest)
        connection: Connection = request.protocol  # type: ignore[assignment]  # it serves it
        request[HTTP_PROBLEM] = problem
        request[OVER_CONNECTION_LIMIT] = connection.over_limit
        connection.begin(request)
        return request

    return make_and_begin
