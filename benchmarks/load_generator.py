"""A load generator that checks every answer.

It reads its configuration from standard input, warms up, and prints the result of the warm-up in
one line. For each further line that it reads, it sends requests for the configured time, and prints
that result. So a caller that reads CPU times while the generator waits knows what these requests
took.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import chain, cycle, repeat
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop
from cattrs import structure, unstructure
from typing_extensions import override

from benchmarks.load_config import Exchange, LoadConfig, LoadResult

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(len("HTTP/1.1 "), len("HTTP/1.1 200"))
_LIVE = Exchange(
    request="GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", status=200, members={"status": "OK"}
)


class WrongAnswerError(Exception):
    """An answer differs from the expected one; the text shows both."""


class Expectation:
    """A request and its expected answer; an answer equal to the last good one is not parsed."""

    def __init__(self, exchange: Exchange) -> None:
        self.request = exchange.request.encode()
        self._exchange = exchange
        self._good = (b"", b"")

    def check(self, head: bytes, body: bytes) -> None:
        """Check an answer.

        Raises:
            WrongAnswerError: its status or its body differs from the expected one.
        """
        if (head[_STATUS], body) == self._good:
            return
        wanted = self._exchange
        if head[_STATUS] != b"%d" % wanted.status or not _holds(body, wanted.members):
            raise WrongAnswerError(
                f"{wanted.request!r} was answered {head + body!r},"
                f" not {wanted.status} with {wanted.members}"
            )
        self._good = head[_STATUS], body


def _holds(body: bytes, members: Mapping[str, object]) -> bool:
    try:
        received = orjson.loads(body)
    except ValueError:
        return False
    return isinstance(received, dict) and members.items() <= received.items()


class Client(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, expectations: Iterator[Expectation]) -> None:
        self._expectations = expectations
        self._received = b""
        self._closed = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check_open(self) -> None:
        """Check that the connection is still open.

        Raises:
            WrongAnswerError: the server closed it.
        """
        if self._closed:
            raise WrongAnswerError(f"a connection was closed, after {self._received!r}")

    async def send_until(self, end_s: float) -> list[float]:
        """Send requests, at least one, until ``end_s``; return the latencies in seconds.

        Raises:
            WrongAnswerError: an answer was wrong, or the connection was closed.
        """
        self.check_open()
        self._end_s = end_s
        self._latencies_s: list[float] = []
        self._done = asyncio.get_running_loop().create_future()
        self._send()
        await self._done
        return self._latencies_s

    def _send(self) -> None:
        self._expected = next(self._expectations)
        self._sent_s = time.perf_counter()
        self._transport.write(self._expected.request)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._done.done():  # unasked, or cancelled since another answer was wrong
            return
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        now_s = time.perf_counter()
        self._latencies_s.append(now_s - self._sent_s)
        try:
            self._expected.check(head, body)
        except WrongAnswerError as error:
            self._done.set_exception(error)
            return
        if now_s < self._end_s:
            self._send()
        else:
            self._done.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if not self._done.done():
            self._done.set_exception(
                WrongAnswerError(f"a connection was closed, after {self._received!r}")
            )


async def _connect(config: LoadConfig) -> tuple[list[Client], list[Client]]:
    """Open the connections for requests, and those that stay idle after one request."""
    requests = cycle([Expectation(each) for each in config.exchanges])
    live = cycle([Expectation(_LIVE)])
    idle = [await _open(config.url, live) for _ in range(config.idle_connections)]
    for each in idle:
        await each.send_until(0)
    return [await _open(config.url, requests) for _ in range(config.connections)], idle


async def _open(url: str, expectations: Iterator[Expectation]) -> Client:
    host, port = urlsplit(url).netloc.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: Client(expectations), host.strip("[]"), int(port)
    )
    return client


async def _send_for(seconds: float, clients: list[Client], timeout_s: float) -> LoadResult:
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    async with asyncio.timeout(seconds + timeout_s):
        per_client = await asyncio.gather(*(each.send_until(began_s + seconds) for each in clients))
    elapsed_s = time.perf_counter() - began_s
    load_cpu_s = time.process_time() - began_cpu_s
    latencies_s = sorted(latency for each in per_client for latency in each)
    return LoadResult(
        requests=len(latencies_s),
        elapsed_s=elapsed_s,
        p50_ms=1000 * latencies_s[len(latencies_s) // 2],
        p99_ms=1000 * latencies_s[len(latencies_s) * 99 // 100],
        load_cpu_s=load_cpu_s,
    )


def main() -> int:
    """Generate the load; return 1 and report on standard error if an answer was wrong."""
    config = structure(json.loads(sys.stdin.readline()), LoadConfig)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            clients, idle = runner.run(_connect(config))
            for seconds in chain([config.warm_up_s], repeat(config.seconds)):
                result = runner.run(_send_for(seconds, clients, config.timeout_s))
                for each in idle:
                    each.check_open()
                print(json.dumps(unstructure(result)), flush=True)
                if not sys.stdin.readline():
                    break
    except (WrongAnswerError, OSError) as error:
        sys.stderr.write(f"{config.url}: {type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
