"""A listener on a socket that other processes listen on too."""

import socket

from entrypoints.http.server.connection import Connection
from entrypoints.http.server.shared_listener import SharedListener


def never() -> Connection:
    raise AssertionError("no client connects")


async def test_may_be_closed_twice() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        listener = SharedListener(never, bound, lambda _: True)
        listener.listen(1)
        assert listener.sockets == [bound]
        listener.close()
        listener.close()
        assert bound.fileno() < 0
