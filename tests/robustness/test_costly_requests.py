"""Requests that repeat one character wherever they can cost no more CPU time than others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.metrics import Metrics
from tests.support.service import MUTE, Service, parse_answers, running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("costly requests")

CHARACTERS = "\"';:,.=%&?+*/\\|()[]{}<>@-_~#!$ \taA0\x80\xff"
REPEATS = 8000
SHORT = 200
"""Of media types: the e-mail parser of Python 3.11, which others use, is slow with some."""
HEADERS = (
    *("Accept", "Authorization", "Connection", "Content-Encoding", "Cookie", "Expect", "Host"),
    *("Referer", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Forwarded-For", "X-Request-ID"),
)
QUOTED = [name for name in HEADERS if name != "Cookie"]
"""Cookies are not read, and the standard library's parser takes long for some of this size."""
TARGETS = ("/{}", f"{MUTE}?{{}}", f"{MUTE}?api_key={{}}", "http://{}/", "http://x/{}", "*{}")
BODIES = ("{}", '{{"room_name": "{}"}}', '{{"{}": 1}}', "[{}", '{{"muted": {}')
MOST = 50
"""Times the CPU time of a harmless request of the same size: what is quadratic takes hundreds."""
TRIES = 5


def posted(target: str = MUTE, *lines: str, body: str = "{}", kind: str = "json") -> bytes:
    host = () if any(line.startswith("Host") for line in lines) else ("Host: x",)
    length, type_ = f"Content-Length: {len(body)}", f"Content-Type: application/{kind}"
    head = (f"POST {target} HTTP/1.1", *host, type_, length, "Connection: close", *lines)
    return "\r\n".join((*head, "", body)).encode("latin-1")


def requests(filler: str) -> dict[str, bytes]:
    return {
        **{name: posted(MUTE, f"{name}: {filler}") for name in HEADERS},
        **{f"{name}, inside": posted(MUTE, f"{name}: [a{filler}a]") for name in HEADERS},
        **{f"{name}, quoted": posted(MUTE, f'{name}: a="{filler}"') for name in QUOTED},
        "a media type": posted(kind=filler[:SHORT]),
        "a media type's parameter": posted(kind=f"json; a={filler[:SHORT]}"),
        **{target: posted(target.format(filler)) for target in TARGETS},
        **{body: posted(body=body.format(filler)) for body in BODIES},
    }


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=NO_TIMEOUTS,
        timeout_s=HOUR_S,
    ) as service:
        yield service


async def cpu_seconds(service: Service, request: bytes) -> float:
    """Send a request that must fail; return the CPU time of this thread, which is the service's.

    Unlike the time of a clock, it is not that of other processes.
    """
    began_s = time.thread_time()
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    writer.write(request)
    received = await reader.read()
    writer.close()
    elapsed_s = time.thread_time() - began_s
    assert [400 <= answer.status < 500 for answer in parse_answers(received)] == [True], request
    return elapsed_s


async def test_cost_no_more_than_others(service: Service, metrics: Metrics) -> None:
    harmless = posted(MUTE, f"X: {'x' * REPEATS}")
    usual_s = sorted([await cpu_seconds(service, harmless) for _ in range(20)])[10]
    too_costly: dict[tuple[str, str], float] = {}
    greatest = 0.0
    for character in CHARACTERS:
        for what, request in requests(character * REPEATS).items():
            ratio = await cpu_seconds(service, request) / usual_s
            for _ in range(TRIES):  # one may have paid for others, for instance the collector
                if ratio > MOST:
                    ratio = min(ratio, await cpu_seconds(service, request) / usual_s)
            greatest = max(greatest, ratio)
            if ratio > MOST:
                too_costly[character, what] = ratio
    metrics.note("CPU time, times the usual", greatest)
    assert too_costly == {}
