"""The load: reads a plan from standard input, and looks at every answer.

It warms up, says so in one line, waits for a line, asks for as long as the plan says, and tells
the outcome. Whoever reads the CPU time of others before and after has exactly the requests told.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop
from cattrs import structure, unstructure
from typing_extensions import override

from benchmarks.plan import Exchange, Outcome, Plan

_PATIENCE_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(len("HTTP/1.1 "), len("HTTP/1.1 200"))
_LIVE = Exchange(
    request="GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", status=200, members={"status": "OK"}
)


class WrongAnswerError(Exception):
    """An answer is not what it has to be; the text shows both."""


class Expectation:
    """A request in bytes, and a judge of its answers who knows the last good one again."""

    def __init__(self, exchange: Exchange) -> None:
        self.request = exchange.request.encode()
        self._exchange = exchange
        self._good = (b"", b"")

    def check(self, head: bytes, body: bytes) -> None:
        """Look at an answer.

        Raises:
            WrongAnswerError: its status or its body is another than expected.
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
        told = orjson.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and members.items() <= told.items()


class Client(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, expectations: Iterator[Expectation]) -> None:
        self._expectations = expectations
        self._received = b""
        self._hung_up = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check_open(self) -> None:
        """Make sure that the connection is still there.

        Raises:
            WrongAnswerError: the other side has hung up.
        """
        if self._hung_up:
            raise WrongAnswerError(f"a connection was closed, after {self._received!r}")

    async def ask_until(self, end_s: float) -> list[float]:
        """Ask, at least once, until that time has come; give the latencies in seconds.

        Raises:
            WrongAnswerError: an answer was not as expected, or none came.
        """
        self.check_open()
        self._end_s = end_s
        self._latencies_s: list[float] = []
        self._done = asyncio.get_running_loop().create_future()
        self._ask()
        await self._done
        return self._latencies_s

    def _ask(self) -> None:
        self._expected = next(self._expectations)
        self._asked_s = time.perf_counter()
        self._transport.write(self._expected.request)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        now_s = time.perf_counter()
        self._latencies_s.append(now_s - self._asked_s)
        try:
            self._expected.check(head, body)
        except WrongAnswerError as error:
            self._done.set_exception(error)
            return
        if now_s < self._end_s:
            self._ask()
        else:
            self._done.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._hung_up = True
        if not self._done.done():
            self._done.set_exception(WrongAnswerError(f"hung up, after {self._received!r}"))


async def _connect(plan: Plan) -> tuple[list[Client], list[Client]]:
    """Open all connections: those to ask over, and those that stay idle once they were used."""
    asked = cycle([Expectation(each) for each in plan.exchanges])
    live = cycle([Expectation(_LIVE)])
    idle = [await _open(plan.url, live) for _ in range(plan.idle_connections)]
    for each in idle:
        await each.ask_until(0)
    return [await _open(plan.url, asked) for _ in range(plan.connections)], idle


async def _open(url: str, expectations: Iterator[Expectation]) -> Client:
    host, port = urlsplit(url).netloc.split(":")
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(expectations), host, int(port))
    return client


async def _ask_for(seconds: float, clients: list[Client]) -> Outcome:
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    async with asyncio.timeout(seconds + _PATIENCE_S):
        asked = await asyncio.gather(*(each.ask_until(began_s + seconds) for each in clients))
    elapsed_s = time.perf_counter() - began_s
    load_cpu_s = time.process_time() - began_cpu_s
    latencies_s = sorted(latency for each in asked for latency in each)
    return Outcome(
        requests=len(latencies_s),
        elapsed_s=elapsed_s,
        p50_ms=1000 * latencies_s[len(latencies_s) // 2],
        p99_ms=1000 * latencies_s[len(latencies_s) * 99 // 100],
        load_cpu_s=load_cpu_s,
    )


def main() -> int:
    """Do as the plan says; 1 where an answer was wrong, which is told on standard error."""
    plan = structure(json.loads(sys.stdin.readline()), Plan)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            clients, idle = runner.run(_connect(plan))
            for seconds in (plan.warm_up_s, plan.seconds):
                outcome = runner.run(_ask_for(seconds, clients))
                for each in idle:
                    each.check_open()
                print(json.dumps(unstructure(outcome)), flush=True)
                sys.stdin.readline()
    except (WrongAnswerError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
