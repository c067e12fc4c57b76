"""HTTP client for key servers and authentication services: bounded in size and connections."""

import asyncio

import aiohttp
from aiohttp.connector import Connection
from typing_extensions import override

_OK = 200
_MAX_IDLE_S = 15.0


class InvalidResponseError(Exception):
    """The response cannot be used; the message says why and quotes nothing of it."""


UNREACHABLE = (TimeoutError, aiohttp.ClientConnectionError, OSError)
"""Errors that mean that no response arrived in time."""


def failure_reason(error: Exception) -> str:
    """Describe a failed call for the log, quoting nothing that the server sent."""
    match error:
        case InvalidResponseError():
            return str(error)
        case aiohttp.ClientConnectorError(host=host, port=port):  # TLS errors too
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            return f"cannot connect to {address} ({type(error.os_error).__name__})"
        case TimeoutError():
            return "timed out"
        case _:
            return f"request failed ({type(error).__name__})"


class FreshResponse(aiohttp.ClientResponse):
    """A response that rejects data which arrived before its request was sent."""

    @override
    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        if connection.protocol is None or len(connection.protocol):
            raise aiohttp.ClientConnectionError("the connection held unread data")
        return await super().start(connection)


def make_session(*, max_connections: int, idle_s: float = _MAX_IDLE_S) -> aiohttp.ClientSession:
    """Make a session for a single upstream, so that one that hangs does not block another.

    The caller sets a timeout for each call. A connection that was idle for ``idle_s``, or 15 s, is
    not used again. Compressed responses are neither requested nor decompressed.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=max_connections, keepalive_timeout=min(idle_s, _MAX_IDLE_S)
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        response_class=FreshResponse,
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def read_ok(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read the whole body of a response with status 200.

    Raises:
        InvalidResponseError: the status is another, or the body is compressed, larger than
            ``max_bytes`` or incomplete.
    """
    if response.status != _OK:
        raise InvalidResponseError(f"status {response.status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise InvalidResponseError("response is compressed")
    try:
        await response.content.readexactly(max_bytes + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    except aiohttp.ClientError:
        raise InvalidResponseError("incomplete response") from None
    raise InvalidResponseError("response too large")
