"""Serving the application on a socket, and leaving without losing a request."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import ERROR
from structlog.typing import FilteringBoundLogger
from yarl import URL

from entrypoints.http.connection import Connection
from entrypoints.http.keys import CONNECTION_IS_SURPLUS, LIMITS, TRAFFIC, VERSION_IS_SPOKEN
from entrypoints.http.limits import Limits
from entrypoints.http.traffic import Traffic

Connect = Callable[[], Connection]

_BACKLOG = 1024


class CannotListenError(Exception):
    """The address that was asked for cannot be listened on; the text says why."""


@asynccontextmanager
async def serving(
    app: web.Application, *, host: str, port: int, log: FilteringBoundLogger
) -> AsyncIterator[URL]:
    """Serve while the block runs, then leave as gently as a client can notice.

    Leaving is: not ready, every answer closing its connection, for ``leaving_s``; no new
    connections; what is in flight finished within ``drain_timeout_s``; what is then left told to
    try again.

    Raises:
        CannotListenError: the address is taken, not ours, or none at all.
    """
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        server = cast("web.Server", runner.server)
        _begin_requests(server)
        connect = partial(Connection, server, limits=app[LIMITS], traffic=app[TRAFFIC], log=log)
        listener = await _listen(connect, host, port)
        try:
            address = listener.sockets[0].getsockname()
            yield URL.build(scheme="http", host=host, port=address[1])
            await _leave(listener, connect, app[LIMITS], app[TRAFFIC])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(connect: Connect, host: str, port: int) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(connect, host, port, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListenError(f"cannot listen on {host}, port {port}: {error.strerror}") from None


async def _leave(
    listener: asyncio.Server, connect: Connect, limits: Limits, traffic: Traffic
) -> None:
    traffic.leaving = True
    await asyncio.sleep(limits.leaving_s)
    await _stop_listening(listener, connect)
    await asyncio.sleep(limits.leaving_s / 4)  # for the requests of the newest connections to come
    await traffic.drain(limits.drain_timeout_s)


async def _stop_listening(listener: asyncio.Server, connect: Connect) -> None:
    """Close a listener, but first take in the connections that the system has made for it.

    Closed at once, it would reset them, though their clients think that they are connected. Nobody
    is served meanwhile, or else the next client would be there before the last is taken in.
    """
    spares = [socket.socket(fileno=os.dup(each.fileno())) for each in listener.sockets]
    listener.close()
    await asyncio.sleep(0)  # for the event loop to let go of it
    clients: list[socket.socket] = []
    for spare in spares:
        with spare, suppress(OSError):  # raised once there is no other
            spare.settimeout(0)
            clients += (spare.accept()[0] for _ in range(_BACKLOG))
    for client in clients:
        client.settimeout(0)
        await asyncio.get_running_loop().connect_accepted_socket(connect, client)


def _begin_requests(server: web.Server) -> None:
    """Have every request of the server begun by its connection, before anything else sees it."""
    make_request: Any = server.request_factory

    def begin_request(message: RawRequestMessage, *rest: Any) -> web.BaseRequest:  # noqa: ANN401
        spoken = message.version in (HttpVersion10, HttpVersion11)
        if not spoken or message is ERROR:
            message = message._replace(version=HttpVersion11)  # in which it will be answered
        try:
            request: web.BaseRequest = make_request(message, *rest)
        except ValueError:  # for aiohttp decodes the host of a target, though nobody asks for it
            spoken = False
            request = make_request(message._replace(url=URL("/")), *rest)
        connection = cast("Connection", request.protocol)
        request[VERSION_IS_SPOKEN] = spoken
        request[CONNECTION_IS_SURPLUS] = connection.is_surplus
        connection.begin(request)
        return request

    server.request_factory = begin_request
