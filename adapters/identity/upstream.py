"""HTTP towards those who know who is calling: bounded in size and connections."""

import asyncio

import aiohttp
from aiohttp.connector import Connection
from typing_extensions import override

_OK = 200


class UpstreamError(Exception):
    """An answer that is of no use; the message says why and repeats nothing of it."""


UNREACHABLE = (TimeoutError, aiohttp.ClientConnectionError, OSError)
"""What is raised where there is no answer, at least not in time."""


def describe(error: Exception) -> str:
    """Say what an upstream did, without a word of its own."""
    match error:
        case UpstreamError():
            return str(error)
        case TimeoutError():
            return "did not answer in time"
        case _:
            return f"could not be asked ({type(error).__name__})"


class FreshResponse(aiohttp.ClientResponse):
    """An answer to the question just sent, and not one that was lying there before it."""

    @override
    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        if connection.protocol is None or len(connection.protocol):
            raise aiohttp.ClientConnectionError("an answer came before its question")
        return await super().start(connection)


def make_session(*, max_connections: int) -> aiohttp.ClientSession:
    """Make a session for one upstream alone, so that one that hangs starves no other.

    Its user bounds each call in time. Compressed answers are not asked for and not unpacked.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=max_connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        response_class=FreshResponse,
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def read_ok(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read an answer of status 200 whole.

    Raises:
        UpstreamError: it has another status, is larger than ``max_bytes``, or broke off.
    """
    if response.status != _OK:
        raise UpstreamError(f"answered {response.status}")
    try:
        await response.content.readexactly(max_bytes + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    except aiohttp.ClientError:
        raise UpstreamError("broke off its answer") from None
    response.close()
    raise UpstreamError("gave too large an answer")
