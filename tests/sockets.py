"""Connections that end as those of a host that crashes."""

import asyncio
import socket
import struct


def will_reset(writer: asyncio.StreamWriter) -> None:
    """Have a connection's closing tell its other end that it is broken off (RST)."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
