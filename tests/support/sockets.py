"""Connections that end with a reset."""

import asyncio
import socket
import struct


def will_reset(writer: asyncio.StreamWriter) -> None:
    """Send RST instead of FIN when the connection is closed."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
