"""Requests that are all of one character wherever there is room: none costs more than others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from tests.campaigns.figures import Figures
from tests.service import MUTE, Service, parse_answers, running_service

pytestmark = pytest.mark.campaign("costly requests")

CHARACTERS = "\"';:,.=%&?+*/\\|()[]{}<>@-_~#!$ \taA0\x80\xff"
ROOM = 8000
HEADERS = (
    *("Accept", "Authorization", "Connection", "Content-Encoding", "Cookie", "Expect", "Host"),
    *("Referer", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Forwarded-For", "X-Request-ID"),
)
TARGETS = ("/{}", f"{MUTE}?{{}}", f"{MUTE}?api_key={{}}", "http://{}/", "http://x/{}", "*{}")
BODIES = ("{}", '{{"room_name": "{}"}}', '{{"{}": 1}}', "[{}", '{{"muted": {}')


def posted(target: str = MUTE, *lines: str, body: str = "{}", kind: str = "json") -> bytes:
    host = () if any(line.startswith("Host") for line in lines) else ("Host: x",)
    length, type_ = f"Content-Length: {len(body)}", f"Content-Type: application/{kind}"
    head = (f"POST {target} HTTP/1.1", *host, type_, length, "Connection: close", *lines)
    return "\r\n".join((*head, "", body)).encode("latin-1")


def requests(filler: str) -> dict[str, bytes]:
    return {
        **{name: posted(MUTE, f"{name}: {filler}") for name in HEADERS},
        **{f"{name}, inside": posted(MUTE, f"{name}: [a{filler}a]") for name in HEADERS},
        **{f"{name}, quoted": posted(MUTE, f'{name}: a="{filler}"') for name in HEADERS},
        "a media type": posted(kind=filler),
        "a media type's parameter": posted(kind=f"json; a={filler}"),
        **{target: posted(target.format(filler)) for target in TARGETS},
        **{body: posted(body=body.format(filler)) for body in BODIES},
    }


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
    ) as service:
        yield service


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
async def test_cost_what_others_cost(service: Service, figures: Figures, character: str) -> None:
    slowest = 0.0
    for what, request in requests(character * ROOM).items():
        took = []
        for _ in range(2):  # of which the better counts, for machines halt at times
            began = time.perf_counter()
            reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
            writer.write(request)
            answers = parse_answers(await reader.read())
            writer.close()
            took.append(time.perf_counter() - began)
            assert [400 <= answer.status < 500 for answer in answers] == [True], what
        slowest = max(slowest, min(took))
    figures.at_most("s for one", slowest, 0.05, timed=True)
