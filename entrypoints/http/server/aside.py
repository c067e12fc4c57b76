"""A listener for operators, beside that of the service."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from aiohttp import web
from yarl import URL

from entrypoints.http.server.listener import bind, listen_errors


@asynccontextmanager
async def serving_aside(app: web.Application, *, host: str, port: int) -> AsyncIterator[URL]:
    """Serve an application while the block runs, without limits of connections and the like.

    Args:
        app: the application.
        host: as for ``serving``.
        port: 0 is any free port.

    Raises:
        CannotListenError: the address is in use, or not one of this machine.
    """
    with ExitStack() as opened:
        with listen_errors(host, port):
            sockets = await bind(host, port, opened)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            with listen_errors(host, port):
                for each in sockets:
                    await web.SockSite(runner, each).start()
            yield URL.build(scheme="http", host=host, port=sockets[0].getsockname()[1])
        finally:
            await runner.cleanup()
