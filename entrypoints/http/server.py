"""Serving the application on a socket, and leaving without losing a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from structlog.typing import FilteringBoundLogger
from yarl import URL

from entrypoints.http.connection import Connection, begin_requests
from entrypoints.http.keys import LIMITS, TRAFFIC
from entrypoints.http.limits import Limits
from entrypoints.http.traffic import Traffic

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
    limits, traffic = app[LIMITS], app[TRAFFIC]
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        listener = await _listen(runner, host, port, log)
        try:
            address = listener.sockets[0].getsockname()
            yield URL.build(scheme="http", host=host, port=address[1])
            await _leave(listener, limits, traffic)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, host: str, port: int, log: FilteringBoundLogger
) -> asyncio.Server:
    server = cast("web.Server", runner.server)
    begin_requests(server)
    limits, traffic = runner.app[LIMITS], runner.app[TRAFFIC]
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: Connection(server, limits=limits, traffic=traffic, log=log),
            host,
            port,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise CannotListenError(f"cannot listen on {host}, port {port}: {error.strerror}") from None


async def _leave(listener: asyncio.Server, limits: Limits, traffic: Traffic) -> None:
    traffic.leaving = True
    await asyncio.sleep(limits.leaving_s)
    listener.close()
    await traffic.drain(limits.drain_timeout_s)
