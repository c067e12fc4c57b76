"""Listening for clients, and graceful shutdown."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
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
from entrypoints.http.server.traffic import Traffic

Connect = Callable[[], Connection]

_BACKLOG = 1024


class CannotListenError(Exception):
    """The address cannot be listened on; the text says why."""


@asynccontextmanager
async def serving(app: web.Application, *, host: str, port: int) -> AsyncIterator[URL]:
    """Serve an application while the block runs, then shut down gracefully.

    Graceful shutdown: for ``shutdown_delay_s`` requests are served and each response closes its
    connection; then the listener is closed; requests in flight have ``drain_timeout_s`` to finish;
    what is left is rejected with 503.

    Raises:
        CannotListenError: the address is in use, or not one of this machine.
    """
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        server = cast("web.Server", runner.server)
        wrap_request_factory(server, begin_requests)
        connect = partial(
            Connection, server, limits=app[LIMITS], traffic=app[TRAFFIC], hooks=app[REQUEST_HOOKS]
        )
        listener = await _listen(connect, host, port)
        try:
            address = listener.sockets[0].getsockname()
            yield URL.build(scheme="http", host=host, port=address[1])
            await _shut_down(listener, connect, app[LIMITS], app[TRAFFIC])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(connect: Connect, host: str, port: int) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(connect, host, port, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListenError(f"cannot listen on {host}, port {port}: {error.strerror}") from None


async def _shut_down(
    listener: asyncio.Server, connect: Connect, limits: Limits, traffic: Traffic
) -> None:
    traffic.shutting_down = True
    await asyncio.sleep(limits.shutdown_delay_s)
    await _close_listener(listener, connect)
    await asyncio.sleep(limits.shutdown_delay_s / 4)  # for the first requests of the newest clients
    await traffic.drain(limits.drain_timeout_s)


async def _close_listener(listener: asyncio.Server, connect: Connect) -> None:
    """Close a listener after accepting the connections that the system has established for it.

    Closed at once, it would reset them, though their clients believe to be connected. No request is
    served meanwhile, or the next client would be there before the last one is accepted.
    """
    duplicates = [socket.socket(fileno=os.dup(each.fileno())) for each in listener.sockets]
    listener.close()
    await asyncio.sleep(0)  # until the event loop has released it
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
            problem = "unsupported HTTP version"
        if problem or is_parser_error(message):
            message = message._replace(version=HttpVersion11)  # the version of the response
        try:
            request = make_request(message, *rest)
        except ValueError:  # aiohttp decodes the host of a target, and some cannot be decoded
            problem = "the host of the request's target is invalid"
            request = make_request(message._replace(url=URL("/")), *rest)
        connection = cast("Connection", request.protocol)
        request[HTTP_PROBLEM] = problem
        request[OVER_CONNECTION_LIMIT] = connection.over_limit
        connection.begin(request)
        return request

    return make_and_begin
