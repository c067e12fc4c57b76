"""What happens to connections besides requests and responses."""

import asyncio
import socket
import struct

IDLE_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
"""What some servers send on an idle connection before they close it: no answer to a request."""


def will_reset(writer: asyncio.StreamWriter) -> None:
    """Send RST instead of FIN when the connection is closed."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
