"""A TCP relay on loopback that can stop forwarding without a sign, as a firewall that forgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.adapters.http_client.raw_servers import Server, serve


class Relay:
    def __init__(self, port: int) -> None:
        self._port = port
        self._forwards = asyncio.Event()

    def silence(self) -> None:
        """Drop what comes on the present connections; new ones work."""
        self._forwards = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        forwards = self._forwards
        forwards.set()
        to, back = await asyncio.open_connection("127.0.0.1", self._port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(1 << 16):
                if forwards is self._forwards:
                    sink.write(data)

        pumps = [asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(to, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            back.close()


@asynccontextmanager
async def relay_to(server: Server) -> AsyncIterator[tuple[Relay, Server]]:
    relay = Relay(server.port)
    async with serve(relay.handle) as listening:
        yield relay, listening
