"""The same tokens, shown to a service on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import nullcontext, suppress
from urllib.parse import quote

import pytest

from adapters.identity.claims import ClaimRules
from adapters.identity.signed_tokens import KeyFile, SignedTokenAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from tests.adapters.identity.bad_tokens import BAD_TOKENS, published
from tests.adapters.identity.keys import ALGORITHMS, AUDIENCE, CLAIMS, ISSUER, NOW, signer
from tests.service import DEMO_WISH, MUTE, Answer, Service, running_service

Show = Callable[[str], tuple[bytes, bytes]]
"""Where a token goes: behind the path, or among the headers."""


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


async def ask(service: Service, show: Show, token: str) -> list[Answer]:
    """Ask for a mute; of a megabyte not all is read, so that the answer may get lost."""
    query, header = show(token)
    body = json.dumps(DEMO_WISH).encode()
    rest = "Host: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    rest += f"Content-Length: {len(body)}\r\n\r\n"
    line = b"POST " + MUTE.encode() + query + b" HTTP/1.1\r\n"
    with suppress(ConnectionResetError):
        return await service.send(line + header + rest.encode() + body, path=MUTE)
    return []


async def ask_for_each(service: Service, show: Show, tokens: Iterable[str]) -> list[list[Answer]]:
    few_at_once = asyncio.Semaphore(32)

    async def ask_for(token: str) -> list[Answer]:
        async with few_at_once:
            return await ask(service, show, token)

    return await asyncio.gather(*map(ask_for, tokens))


def can_be_sent(token: str) -> bool:
    return token.isascii() and token.isprintable() and len(token) <= 4096


def pieces(token: str) -> Iterable[str]:
    """Cut out what would give a token away."""
    yield "s3cret"
    yield from (part[:16] for part in token.split(".") if len(part) >= 16)


@pytest.mark.parametrize("show", [in_header, in_query])
class TestTokensOverHttp:
    async def test_let_in_the_good(self, service: Service, show: Show) -> None:
        tokens = [signer(alg).sign(CLAIMS) for alg in ALGORITHMS]
        answers = await ask_for_each(service, show, tokens)
        assert [answer.status for [answer] in answers] == [200, 200, 200, 200]

    async def test_are_refused_where_they_are_bad(self, service: Service, show: Show) -> None:
        bad = {name: make() for name, make in BAD_TOKENS.items()}
        if show is in_header:
            del bad["text: a space behind it"]  # HTTP takes it away
        answers = await ask_for_each(service, show, bad.values())
        told = {name: [one.status for one in sent] for name, sent in zip(bad, answers, strict=True)}
        assert {name: told[name] for name in bad if can_be_sent(bad[name])} == {
            name: [401] for name in bad if can_be_sent(bad[name])
        }
        assert {event["status"] for event in service.events} == {400, 401}
        assert len(service.events) == len(bad)

    async def test_are_never_repeated(self, service: Service, show: Show) -> None:
        tokens = [make() for make in BAD_TOKENS.values()] + [signer("ES256").sign(CLAIMS)]
        answers = await ask_for_each(service, show, tokens)
        seen = repr([*service.events, *(one for sent in answers for one in sent)])
        assert [piece for token in tokens for piece in pieces(token) if piece in seen] == []
