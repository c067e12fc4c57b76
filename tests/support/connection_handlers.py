"""What a raw server may do with a connection: send given bytes, part by part, and end it or not."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.sockets import will_reset

ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Handles a connection, which is closed afterwards."""


async def read_request(reader: asyncio.StreamReader) -> str:
    """Read a whole request, so that closing the connection does not reset it; give its target."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head.split(b" ")[1].decode()


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection, as the crash of a service does."""
    will_reset(writer)
    writer.transport.abort()


def sends(*parts: bytes, resets: bool = False) -> ConnectionHandler:
    """Read the request, send bytes part by part, and close or reset the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            for _ in range(3):  # the client reads it meanwhile
                await asyncio.sleep(0)
        if resets:
            reset(writer)

    return handle


def hangs(*parts: bytes) -> ConnectionHandler:
    """Read the request, send bytes, and keep the connection open."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await sends(*parts)(reader, writer)
        await reader.read()

    return handle


def floods(start: bytes, more: bytes, *, pause_s: float = 0.0) -> ConnectionHandler:
    """Read the request, and send without end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)
        while not writer.is_closing():
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return handle
