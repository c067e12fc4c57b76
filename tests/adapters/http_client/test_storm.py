"""Requests of all fates at once, drawn at random from a seed."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import HttpClientError
from tests.adapters.http_client.raw_servers import (
    CHUNKED,
    NO_LENGTH,
    OK,
    Server,
    ask,
    client_of,
    keeps,
    within,
)
from tests.adapters.http_client.test_slots import serves_all_places
from tests.support.connection_handlers import read_request
from tests.support.sockets import will_reset

MAX = 4
REQUESTS = 400
FATES = (
    *3 * (OK,),
    *(OK + OK, OK + b"\r\n", OK[:-1], OK[:20], NO_LENGTH + b"ok", CHUNKED + b"1\r\na\r\n"),
    *(b"", b"garbage", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, CHUNKED + b"2\r\nok\r\n0\r\n\r\n"),
)


class Storm:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - nothing secret

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        draw = self._random.random
        while draw() > 0.05:
            await read_request(reader)
            await asyncio.sleep(draw() * 0.002)
            for part in self._parts(self._random.choice(FATES)):
                writer.write(part)
                await asyncio.sleep(0)
            if draw() < 0.1:
                await reader.read()
            if draw() < 0.1:
                return
        if draw() < 0.5 and not writer.is_closing():
            will_reset(writer)

    def _parts(self, sent: bytes) -> list[bytes]:
        at = self._random.randrange(len(sent) + 1)
        return [sent[:at], sent[at:]]

    async def ask(self, client: HttpClient) -> str:
        """Make a request, and give it up or be cancelled sometimes; return what became of it."""
        draw = self._random.random
        await asyncio.sleep(draw() * 0.2)
        exchange = client.begin("POST", "/", headers={}, body=b"?", accept=self._accept)
        try:
            if draw() < 0.2:
                for _ in range(self._random.randrange(12)):
                    await asyncio.sleep(0)
                client.drop(exchange)
                return "dropped"
            answer = await client.finish(exchange, within(draw() * 0.1))
        except (HttpClientError, LookupError) as error:
            return type(error).__name__
        return answer.body.decode()

    def _accept(self, _: object) -> int:
        if self._random.random() < 0.05:
            raise LookupError
        return 100


def sockets_of_the_client(server: Server) -> int:
    """Count files beside the connections' ends at the server."""
    return len(list(Path("/proc/self/fd").iterdir())) - len(server.talks)


@pytest.mark.parametrize("seed", range(3))
async def test_leaves_every_place_free(seed: int) -> None:
    storm = Storm(seed)
    async with client_of(keeps(OK), max_connections=MAX) as (client, server):
        await ask(client)
        before = sockets_of_the_client(server)
        server.handle = storm.handle
        begun = [asyncio.create_task(storm.ask(client)) for _ in range(REQUESTS)]
        loop = asyncio.get_running_loop()
        for number, task in enumerate(begun[::10]):
            loop.call_later(0.005 * number, task.cancel)
        await asyncio.wait(begun)
        found = {task.result() for task in begun if not task.cancelled()}
        assert {"ok", "dropped", "NoAnswerInTimeError"} <= found
        assert found <= {
            *("ok", "dropped", "o", "", "LookupError", "NoAnswerInTimeError"),
            *("ConnectionLostError", "InvalidAnswerError", "UnusableBodyError"),
        }
        for talk in filter(None, list(server.talks)):
            talk.cancel()
        await serves_all_places(client, server)
        assert sockets_of_the_client(server) <= before - 1 + MAX
