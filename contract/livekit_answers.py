"""Answers for the LiveKit double to give in place of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from contract.twirp import TwirpError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def twirp_error(code: str, msg: str = "arranged", *, status: int | None = None) -> Answer:
    """Make an answer that is a Twirp error, under a status of its own where given."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return TwirpError(code, msg).response(status=status)

    return answer


def http_response(status: int, *, content_type: str, body: str) -> Answer:
    """Make an answer that is no Twirp error, as of a proxy in front of LiveKit."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, headers={"Content-Type": content_type}, body=body.encode()
        )

    return answer


async def silence(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    never: asyncio.Future[web.StreamResponse] = asyncio.get_running_loop().create_future()
    return await never


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Abort the connection."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
