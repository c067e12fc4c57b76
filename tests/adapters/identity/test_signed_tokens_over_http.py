"""The same tokens, sent to a service on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import nullcontext, suppress
from urllib.parse import quote

import pytest

from adapters.identity.claims import ClaimRules
from adapters.identity.signed_tokens import KeyFile, SignedTokenAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from tests.adapters.identity.cases.bad_tokens import BAD_TOKENS, published
from tests.adapters.identity.cases.keys import ALGORITHMS, AUDIENCE, CLAIMS, ISSUER, NOW, signer
from tests.support.service import DEMO_REQUEST, MUTE, Answer, Service, running_service

Place = Callable[[str], tuple[bytes, bytes]]
"""Puts a token into the query or into the headers."""


def in_header(token: str) -> tuple[bytes, bytes]:
    return b"", b"Authorization: Bearer " + token.encode("utf-8", "surrogateescape") + b"\r\n"


def in_query(token: str) -> tuple[bytes, bytes]:
    return b"?api_key=" + quote(token, safe="", errors="surrogateescape").encode(), b""


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    known = SignedTokenAuthenticator(
        keys=KeyFile(published),
        rules=ClaimRules(issuer=ISSUER, audience=AUDIENCE),
        clock=lambda: NOW,
    )
    async with running_service(
        open_gateway=lambda: nullcontext(demo_room_gateway()),
        open_authenticator=lambda: nullcontext(known),
    ) as running:
        yield running


async def ask(service: Service, place: Place, token: str) -> list[Answer]:
    """Request a mute; the response may be lost, as not all of a megabyte is read."""
    query, header = place(token)
    body = json.dumps(DEMO_REQUEST).encode()
    rest = "Host: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    rest += f"Content-Length: {len(body)}\r\n\r\n"
    line = b"POST " + MUTE.encode() + query + b" HTTP/1.1\r\n"
    with suppress(ConnectionResetError):
        return await service.send(line + header + rest.encode() + body, path=MUTE)
    return []


async def ask_for_each(service: Service, place: Place, tokens: Iterable[str]) -> list[list[Answer]]:
    concurrency = asyncio.Semaphore(32)

    async def ask_for(token: str) -> list[Answer]:
        async with concurrency:
            return await ask(service, place, token)

    return await asyncio.gather(*map(ask_for, tokens))


def can_be_sent(token: str) -> bool:
    return token.isascii() and token.isprintable() and len(token) <= 4096


def revealing_parts(token: str) -> Iterable[str]:
    """Yield the parts that would reveal a token."""
    yield "s3cret"
    yield from (part[:16] for part in token.split(".") if len(part) >= 16)


@pytest.mark.parametrize("place", [in_header, in_query])
class TestTokensOverHttp:
    async def test_are_accepted_if_valid(self, service: Service, place: Place) -> None:
        tokens = [signer(alg).sign(CLAIMS) for alg in ALGORITHMS]
        answers = await ask_for_each(service, place, tokens)
        assert [answer.status for [answer] in answers] == [200, 200, 200, 200]

    async def test_are_refused_if_bad(self, service: Service, place: Place) -> None:
        bad = {name: make() for name, make in BAD_TOKENS.items()}
        if place is in_header:
            del bad["text: a space after it"]  # HTTP strips it
        answers = await ask_for_each(service, place, bad.values())
        outcome = {
            name: [one.status for one in sent] for name, sent in zip(bad, answers, strict=True)
        }
        assert {name: outcome[name] for name in bad if can_be_sent(bad[name])} == {
            name: [401] for name in bad if can_be_sent(bad[name])
        }
        assert {event["status"] for event in service.events} == {400, 401}
        assert len(service.events) == len(bad)

    async def test_are_never_quoted(self, service: Service, place: Place) -> None:
        tokens = [make() for make in BAD_TOKENS.values()] + [signer("ES256").sign(CLAIMS)]
        answers = await ask_for_each(service, place, tokens)
        seen = repr([*service.events, *(one for sent in answers for one in sent)])
        assert [part for token in tokens for part in revealing_parts(token) if part in seen] == []
