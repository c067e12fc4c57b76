"""A key server on a real socket, and the keys of an issuer who signs tokens with them."""

import asyncio
import gzip
import json
import socket
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from adapters.in_memory.demo import DEMO

MAX_BYTES = 256 * 1024


@frozen
class IssuerKey:
    """A private key; ``kid`` and ``more`` are what a key set says of it."""

    kid: str | None
    alg: str = "ES256"
    key: ECKey | RSAKey = field(factory=lambda: ECKey.generate_key("P-256"), repr=False)
    more: Mapping[str, object] = field(factory=dict, kw_only=True)

    @property
    def entry(self) -> Mapping[str, object]:
        named = {} if self.kid is None else {"kid": self.kid}
        return {**self.key.as_dict(private=False), **named, **self.more}

    def sign(self, **changes: str) -> str:
        """Sign a token of the demo's tenant; ``changes`` are to its header."""
        named = {} if self.kid is None else {"kid": self.kid}
        header = {"alg": self.alg, **named, **changes}
        claims = {"sub": DEMO.tenant, "exp": int(time.time()) + 3600}
        return jwt.encode(header, claims, self.key, algorithms=[self.alg])


def rsa_key(kid: str, *, bits: int = 2048) -> IssuerKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return IssuerKey(kid, "RS256", RSAKey(key, None))


def renamed(token: str, kid: str) -> str:
    """Let a token name another key; its signature is no longer good."""
    header = json.dumps({"alg": "ES256", "kid": kid}).encode()
    return urlsafe_b64encode(header).rstrip(b"=").decode() + "." + token.partition(".")[2]


Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
"""What becomes of a key set; the text of it is given."""


async def as_it_is(_: web.Request, text: bytes) -> web.StreamResponse:
    return web.Response(body=text, content_type="application/jwk-set+json")


async def drip(request: web.Request, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(text) + MAX_BYTES // 2
    await response.prepare(request)
    await response.write(text)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def break_off(request: web.Request, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(text) + 1
    await response.prepare(request)
    await response.write(text)
    response.force_close()
    return response


async def speak_ssh(request: web.Request, _: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"SSH-2.0-s3cret\r\n")
    request.transport.close()
    return await asyncio.Future()


def instead(spoil: Callable[[bytes], web.StreamResponse]) -> Answer:
    async def answer(_: web.Request, text: bytes) -> web.StreamResponse:
        return spoil(text)

    return answer


def padded(size: int) -> Answer:
    return instead(lambda text: web.Response(body=text.ljust(size)))


as_a_page = instead(lambda text: web.Response(body=text, content_type="text/html"))
with_a_cookie = instead(
    lambda text: web.Response(body=text, headers={"Set-Cookie": "s3cret=s3cret; Path=/"})
)
_TO_ELSEWHERE = {"Location": "/elsewhere"}
_GZIP = {"Content-Encoding": "gzip"}

FAILING: Mapping[str, tuple[str, Answer]] = {
    "an error": ("answered 500", instead(lambda text: web.Response(body=text, status=500))),
    "not found": ("answered 404", instead(lambda text: web.Response(body=text, status=404))),
    "another success": ("answered 203", instead(lambda text: web.Response(body=text, status=203))),
    "no content": ("answered 204", instead(lambda _: web.Response(status=204))),
    "a redirect": (
        "answered 302",
        instead(lambda text: web.Response(body=text, status=302, headers=_TO_ELSEWHERE)),
    ),
    "a lasting redirect": (
        "answered 308",
        instead(lambda text: web.Response(body=text, status=308, headers=_TO_ELSEWHERE)),
    ),
    "not HTTP": ("could not be asked (ClientResponseError)", speak_ssh),
    "half of its answer": ("broke off its answer", break_off),
    "too much": ("gave too large an answer", padded(MAX_BYTES + 1)),
    "far too much": ("gave too large an answer", padded(1 << 24)),
    "nothing": ("gave a text that is not JSON", instead(lambda _: web.Response())),
    "a page": ("gave a text that is not JSON", instead(lambda _: web.Response(body=b"<s3cret>"))),
    "half of it": (
        "gave a text that is not JSON",
        instead(lambda text: web.Response(body=text[:-1])),
    ),
    "compressed": (
        "gave a text that is not UTF-8",
        instead(lambda text: web.Response(body=gzip.compress(text), headers=_GZIP)),
    ),
    "a bomb": (
        "gave a text that is not UTF-8",
        instead(lambda text: web.Response(body=gzip.compress(text.ljust(1 << 24)), headers=_GZIP)),
    ),
    "a name given twice": (
        "gave a text that a key is given twice in one object",
        instead(lambda text: web.Response(body=b'{"keys": [],' + text[1:])),
    ),
    "a constant": (
        "gave a text that holds NaN, which is not JSON",
        instead(lambda text: web.Response(body=b'{"s3cret": NaN,' + text[1:])),
    ),
    "a list": (
        "gave a text that is not a JSON object",
        instead(lambda text: web.Response(body=b"[" + text + b"]")),
    ),
    "no set": (
        'gave a text that is not a key set: {"keys": [...]}',
        instead(lambda _: web.Response(body=b'{"s3cret": []}')),
    ),
    "no list": (
        'gave a text that is not a key set: {"keys": [...]}',
        instead(lambda _: web.Response(body=b'{"keys": "s3cret"}')),
    ),
    "over a hundred": (
        "gave a text that holds more than 100 keys",
        instead(lambda text: web.Response(body=text.replace(b"[", b"[" + 100 * b"0,"))),
    ),
}
"""Answers that are no key set, and what is told of them; many are made of one, so as to tempt."""


@define(eq=False)
class KeySetServer:
    """Publishes keys at ``url`` and, at another path, those that nobody should believe in."""

    published: list[IssuerKey] = field(factory=list)
    elsewhere: list[IssuerKey] = field(factory=list)
    answer: Answer = as_it_is
    released: asyncio.Event = field(factory=asyncio.Event)
    """While this is not set, answers are held back; they say what held when asked for."""
    asked: Counter[str] = field(factory=Counter)
    headers: list[Mapping[str, str]] = field(factory=list)
    connection: asyncio.Transport | None = None
    """The one by which a client asked last."""
    abandoned: int = 0
    """How many have gone without waiting for their answer."""
    _port: socket.socket = field(init=False, factory=lambda: _bound(0))
    _runner: web.AppRunner | None = field(init=False, default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getsockname()[1]}/keys"

    @property
    def fetches(self) -> int:
        return self.asked.total()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01
        )
        await self._runner.setup()
        await web.SockSite(self._runner, _bound(self._port.getsockname()[1])).start()

    async def stop(self) -> None:
        """Refuse all connections; the port stays ours."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def answer_unasked(self, key: IssuerKey) -> None:
        """Send one more answer, with this key alone, to the client that asked last."""
        text = json.dumps({"keys": [key.entry]})
        assert self.connection is not None
        self.connection.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        )

    def give_up_port(self) -> None:
        self._port.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        self.headers.append(request.headers)
        self.connection = request.transport
        keys = self.elsewhere if request.path == "/elsewhere" else self.published
        text = json.dumps({"keys": [key.entry for key in keys]}).encode()
        try:
            await self.released.wait()
            return await self.answer(request, text)
        except asyncio.CancelledError:
            self.abandoned += 1
            raise


def _bound(port: int) -> socket.socket:
    """Take a port of loopback without listening; one socket that keeps it lets others share it."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


@asynccontextmanager
async def key_set_server(*keys: IssuerKey) -> AsyncIterator[KeySetServer]:
    """Publish these keys, to begin with."""
    server = KeySetServer([*keys])
    server.released.set()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        server.give_up_port()
