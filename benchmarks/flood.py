"""A program that floods a service: many connections, each of which sends again at once."""

import argparse
import asyncio
import json
import re
from collections import Counter
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop
from typing_extensions import override

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Flood(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, statuses: Counter[str]) -> None:
        self._request = request
        self._statuses = statuses
        self._received = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if found and length and len(body) >= int(length[1]):
            self._received = b""
            self._statuses[head.split(b" ", 2)[1].decode()] += 1
            self._transport.write(self._request)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._statuses["lost"] += 1


async def flood(url: str, request: bytes, connections: int, seconds: float) -> Counter[str]:
    """Send the request all the time on so many connections; count the statuses."""
    host, port = urlsplit(url).netloc.rsplit(":", 1)
    statuses = Counter[str]()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(partial(Flood, request, statuses), host, int(port))
    print(json.dumps({"url": url}), flush=True)
    await asyncio.sleep(seconds)
    return statuses


def main() -> None:
    """Flood, and print the statuses of the answers in one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("request", help="in hexadecimal digits")
    parser.add_argument("connections", type=int)
    parser.add_argument("seconds", type=float)
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        request = bytes.fromhex(asked.request)
        found = runner.run(flood(asked.url, request, asked.connections, asked.seconds))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
